/* A post of our own: kept and looked at by the guard at each pause in typing; one key sends it. */
"use strict";
(() => {
  const { $, say, csrf } = Rapport;
  const form = $("#own-post");
  if (!form) return;
  let timer = 0;
  let turn = Promise.resolve(); // one after the other: a new sheet is made once
  let pressed = false;
  function keep() {
    clearTimeout(timer);
    turn = turn.then(save);
    return turn;
  }
  async function save() {
    if (pressed) return;
    const fields = new FormData(form);
    fields.delete("file");
    fields.set("do", "save");
    const answer = await fetch(form.action, { method: "POST", body: fields, headers: { "HX-Request": "true", "X-CSRFToken": csrf() }, credentials: "same-origin" }).catch(() => null);
    if (!answer) { timer = setTimeout(keep, 3000); return; }
    const told = await answer.text();
    if (!answer.ok || answer.redirected || answer.headers.get("HX-Redirect")) {
      const plain = (answer.headers.get("Content-Type") || "").startsWith("text/plain");
      say(plain ? told : document.body.dataset.wrong, "error");
      return;
    }
    const place = answer.headers.get("X-Draft");
    if (place && new URL(form.action).pathname !== place) {
      form.action = place;
      history.replaceState(history.state, "", place);
    }
    form.elements.version.value = answer.headers.get("X-Version") || "";
    $("#post-checks").innerHTML = told;
  }
  form.addEventListener("input", (event) => {
    if (["file", "reason", "link", "despite"].includes(event.target.name)) return;
    clearTimeout(timer);
    timer = setTimeout(keep, 700);
  });
  form.addEventListener("submit", (event) => {
    // what is being kept at this moment is kept first, so that the sheet is the one that is known there
    if (pressed) return void event.preventDefault();
    clearTimeout(timer);
    event.preventDefault();
    const button = event.submitter;
    turn.then(() => {
      pressed = true;
      const hidden = document.createElement("input");
      hidden.type = "hidden";
      hidden.name = "do";
      hidden.value = button?.value || "save";
      form.append(hidden);
      form.submit();
    });
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing) return;
    const button = $("[data-send]", form);
    if (!button) return;
    event.preventDefault();
    event.stopPropagation();
    form.requestSubmit(button);
  });
})();
