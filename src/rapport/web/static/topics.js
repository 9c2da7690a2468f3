/* The page of a topic: builder and text say the same, errors are underlined where they stand, Ctrl+Enter saves.
   The server reads and writes queries; this file only carries what it answers to where it belongs. */
"use strict";
(() => {
  const form = document.getElementById("topic-form");
  if (!form) return;
  const $ = (selector, from = document) => from.querySelector(selector);
  const text = $("#id_query");
  const under = $(".query-under");
  const boxes = $("#boxes");
  const beyond = $("#beyond");
  const led = form.elements.namedItem("led");

  // without this script these buttons and the excerpt do what it does
  for (const plain of document.querySelectorAll("[data-plain]")) plain.remove();

  // on a small screen the rarer boxes are folded away until they hold something
  const narrow = $("#narrow");
  const used = () => [...narrow.querySelectorAll("input")].some((field) => (field.type === "checkbox" ? field.checked : field.value));
  if (matchMedia("(max-width: 1000px)").matches) narrow.open = used();

  // ------------------------------------------------------------------ what was written on last leads
  form.addEventListener("input", (event) => {
    if (boxes.contains(event.target)) led.value = "boxes";
    else if (event.target === text) { led.value = "text"; paint(null); }
  }, true);

  function fill(values) {
    for (const [name, value] of Object.entries(values)) {
      for (const field of boxes.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
        if (field.type === "checkbox") field.checked = Array.isArray(value) ? value.includes(field.value) : Boolean(value);
        else if (field.value !== value) field.value = value;
      }
    }
    if (used()) narrow.open = true;
  }

  // ------------------------------------------------------------------ the place of an error, under the text itself
  function paint(place) {
    under.replaceChildren();
    if (place) text.setAttribute("aria-invalid", "true");
    else { text.removeAttribute("aria-invalid"); return; }
    // the server counts characters, strings here count halves of some
    const letters = [...text.value];
    const mark = document.createElement("mark");
    mark.textContent = letters.slice(place[0], place[1]).join("") || " ";
    under.append(letters.slice(0, place[0]).join(""), mark, letters.slice(place[1]).join("") + "\n");
    under.scrollTop = text.scrollTop;
  }
  text.addEventListener("scroll", () => { under.scrollTop = text.scrollTop; });

  // live regions: what changes in them is read out
  function tell(region, problem) {
    const line = $(`#${region} .problem`);
    const words = $("span", line);
    if (words.textContent !== problem) words.textContent = problem;
    line.hidden = !problem;
  }

  function follow() {
    const state = JSON.parse($("#topic-state").dataset.state);
    tell("query-problem", state.problem);
    tell("hides-problem", state.hides_problem);
    if (state.said) $("#topic-said").textContent = state.said;
    if (state.led !== led.value) return; // somebody went on on the other side meanwhile
    if (state.led === "boxes") {
      if (document.activeElement !== text && text.value !== state.query) text.value = state.query;
    } else {
      if (text.value !== state.query) return; // and this is about an older text
      beyond.hidden = !state.beyond;
      boxes.disabled = boxes.hidden = Boolean(state.beyond); // what stands in them would be about an older text
      const shown = $("[data-beyond]");
      if (state.beyond) shown.textContent = state.beyond.length > 200 ? `${state.beyond.slice(0, 199)}…` : state.beyond;
      if (!state.beyond && !boxes.contains(document.activeElement)) fill(state.boxes);
    }
    paint(state.place);
  }
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful && event.detail.target?.id === "found") follow();
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target?.id === "found") $("#found").setAttribute("aria-busy", "true");
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (!document.querySelector("[id^=go-on-]")) $("#found").removeAttribute("aria-busy");
  });

  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    if (event.ctrlKey || event.metaKey) { event.preventDefault(); form.requestSubmit($("#save")); }
    // Enter after a word in a box is a habit, not a wish to put the query in force
    else if (event.target.matches("#boxes input")) event.preventDefault();
  });

  // whether automated accounts are left out is kept in the address, as on every list
  form.addEventListener("change", (event) => {
    if (event.target.name !== "automated") return;
    const here = new URL(location.href);
    if (event.target.checked) here.searchParams.set("automated", "without");
    else here.searchParams.delete("automated");
    history.replaceState(history.state, "", here);
  });

  // nothing typed is lost by a wrong click
  let unsaved = false;
  form.addEventListener("input", (event) => { unsaved ||= event.target.name !== "automated"; });
  form.addEventListener("submit", () => { unsaved = false; });
  window.addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });
  follow();
})();
