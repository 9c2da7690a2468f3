/* The page of the score: sliders beside the numbers, the sum while one moves them, Ctrl+Enter saves.
   The numbers alone are sent; without this script they are all there is. */
"use strict";
(() => {
  const form = document.getElementById("score-form");
  if (!form) return;
  const weights = document.getElementById("weights");
  const sliders = [...weights.querySelectorAll("input[type=range][data-for]")];

  for (const slider of sliders) {
    const number = document.getElementById(slider.dataset.for);
    slider.hidden = false;
    slider.addEventListener("input", () => { number.value = slider.value; add(); });
    number.addEventListener("input", () => { slider.value = number.value || 0; add(); });
  }

  // the sum at once; the server says the same a moment later, with what is wrong
  function add() {
    const total = sliders.reduce((sum, slider) => sum + (Number(document.getElementById(slider.dataset.for).value) || 0), 0);
    const sum = document.getElementById("score-sum");
    sum.querySelector("[data-total]").textContent = String(Math.round(total * 10) / 10);
    sum.querySelector("progress").value = total;
    const over = total > 100.001;
    sum.classList.toggle("over", over);
    sum.querySelector("[data-fit]").hidden = !over;
  }

  // all in the same proportion, in steps of a half
  weights.addEventListener("click", (event) => {
    if (!event.target.closest("[data-fit]")) return;
    const numbers = sliders.map((slider) => document.getElementById(slider.dataset.for));
    const total = numbers.reduce((sum, number) => sum + (Number(number.value) || 0), 0);
    sliders.forEach((slider, row) => {
      slider.value = numbers[row].value = Math.floor((200 * Number(numbers[row].value)) / total) / 2;
    });
    add();
    numbers[0].dispatchEvent(new Event("input", { bubbles: true }));
  });

  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // Enter after a number is a habit, not a wish to put the weights in force
    if (event.ctrlKey || event.metaKey || event.target.id === "save") form.requestSubmit(document.getElementById("save"));
  });

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target?.id === "tried") event.detail.target.setAttribute("aria-busy", "true");
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.target?.id === "tried") { event.detail.target.removeAttribute("aria-busy"); add(); }
  });

  // nothing moved is lost by a wrong click
  let unsaved = false;
  form.addEventListener("input", () => { unsaved = true; });
  form.addEventListener("submit", () => { unsaved = false; });
  window.addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });
  add();
  form.querySelector("[aria-invalid=true]")?.focus();
})();
