// A link to a survey that was put into the draft on the server comes into the open box, once: whoever takes it out of
// the box again is not given it twice.
"use strict";
(() => {
  const given = new Set();
  function give() {
    const line = document.querySelector("[data-survey-line]")?.dataset.surveyLine;
    const box = document.getElementById("reply-text");
    if (!line || !box || given.has(line)) return;
    given.add(line);
    const link = line.match(/\S*\/s\/\S+/)?.[0];
    if (!link || box.value.includes(link)) return;
    // one of before that was not sent is void
    const kept = box.value.split("\n").filter((each) => !/\S*\/s\/[\w-]{43}/.test(each)).join("\n").trimEnd();
    box.value = kept ? `${kept}\n\n${line}` : line;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    box.scrollTop = box.scrollHeight;
  }
  document.addEventListener("htmx:afterSettle", give);
  document.addEventListener("DOMContentLoaded", give);
})();
