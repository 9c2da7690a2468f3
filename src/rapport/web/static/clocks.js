/* Clocks that go on by themselves on an open page: "due in 12 min", "3 h late", "waits 38 min". The words come with
   the page (`data-clock`), so that nothing is asked of the server; nothing is announced either: whoever listens to the
   page hears the time when they come to it. */
"use strict";
(() => {
  if (!document.body.dataset.clock) return;
  const words = JSON.parse(document.body.dataset.clock);
  // clocks of people go wrong: what counts is how far ours was from the server's when the page came
  const ahead = Date.now() - words.at * 1000;
  const plural = new Intl.PluralRules(document.documentElement.lang || "en");
  const count = (forms, n) => (forms[plural.select(n)] || forms.other || forms).replace("{n}", n);
  const MINUTE = 60, HOUR = 3600, DAY = 86400;

  /* A length of time in its largest whole unit, as `since` in templatetags/desk_frame.py says it. */
  function since(seconds) {
    if (seconds < MINUTE) return words.now;
    if (seconds < HOUR) return count(words.min, Math.floor(seconds / MINUTE));
    if (seconds < DAY) return count(words.h, Math.floor(seconds / HOUR));
    const days = Math.floor(seconds / DAY);
    if (days < 60) return count(words.day, days);
    return days < 730 ? count(words.month, Math.floor(days / 30)) : count(words.year, Math.floor(days / 365));
  }
  function say(left) {
    if (left > 0) return left < MINUTE ? words.due : words.in.replace("{time}", since(left));
    return -left < MINUTE ? words.late : words.over.replace("{time}", since(-left));
  }
  /* The chip turns amber within the last hour and red when it is over; its icon tells the same without colour. */
  function colour(chip, left) {
    chip.classList.toggle("care", left <= 0);
    chip.classList.toggle("ask", left > 0 && left <= HOUR);
    const sign = chip.querySelector("use");
    const wanted = left <= 0 ? "#circle-alert" : "#hourglass";
    const href = sign?.getAttribute("href") || "";
    if (sign && !href.endsWith(wanted)) sign.setAttribute("href", href.replace(/#.*/, wanted));
  }
  function tick() {
    if (document.visibilityState !== "visible") return;
    const now = Date.now() - ahead;
    for (const time of document.querySelectorAll("time[data-style=due],time[data-style=waits],time[data-style=ago]")) {
      const left = (Date.parse(time.dateTime) - now) / 1000;
      const { style } = time.dataset;
      const gone = since(Math.max(0, -left));
      const text = style === "due" ? say(left) : style === "waits" ? words.waits.replace("{time}", gone) : gone;
      if (time.textContent !== text) time.textContent = text;
      if (style === "due" && time.closest(".chip")) colour(time.closest(".chip"), left);
    }
  }
  setInterval(tick, 5000);
  document.addEventListener("visibilitychange", tick);
})();
