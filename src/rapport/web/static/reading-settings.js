/* The page of the readings: sliders beside the numbers, and which threshold was moved last, so that the preview shows its
   posts. The numbers alone are sent; without this script they are all there is. */
"use strict";
(() => {
  const form = document.getElementById("readings-form");
  if (!form) return;
  const about = form.elements.about;
  for (const slider of form.querySelectorAll("input[type=range][data-for]")) {
    const number = document.getElementById(slider.dataset.for);
    const moved = () => { if (number.name !== "share") about.value = number.name; };
    slider.hidden = false;
    slider.addEventListener("input", () => { number.value = slider.value; moved(); });
    number.addEventListener("input", () => { slider.value = number.value || 0; moved(); });
  }
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // Enter after a number is a habit, not a wish to put the thresholds in force
    if (event.ctrlKey || event.metaKey || event.target.id === "save") form.requestSubmit(document.getElementById("save"));
  });
  let unsaved = false;
  form.addEventListener("input", () => { unsaved = true; });
  form.addEventListener("submit", () => { unsaved = false; });
  window.addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });
  form.querySelector("[aria-invalid=true]")?.focus();
})();
