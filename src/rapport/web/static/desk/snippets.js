/* Prepared replies: "/" in an empty box opens them, what is typed there finds one, Enter takes the first. */
"use strict";
(() => {
  const { $, say } = Rapport;
  let asking = 0;
  let later = 0;
  let coming = false; // what the last letters find is not here yet
  let wanted = false; // Enter was pressed meanwhile: it takes the first of that, not of what stood there before
  async function find(field) {
    const mine = ++asking;
    coming = true;
    const answer = await fetch(`${field.dataset.find}?q=${encodeURIComponent(field.value)}`, { headers: { "HX-Request": "true" }, credentials: "same-origin" }).catch(() => null);
    if (mine !== asking || !$("#snippets")) return;
    const take = wanted;
    coming = wanted = false;
    if (!answer?.ok || answer.redirected) return void say(document.body.dataset.wrong, "error");
    $("#snippets").innerHTML = await answer.text();
    if (take) $("#snippets .item")?.click();
  }
  function open() {
    const box = $("#begin-from");
    const field = $("#snippet-find");
    if (!box || !field) return false;
    box.showPopover();
    field.value = "";
    field.focus();
    find(field);
    return true;
  }
  document.addEventListener("input", (event) => {
    if (event.target.id === "snippet-find") { clearTimeout(later); coming = true; wanted = false; later = setTimeout(find, 120, event.target); return; }
    if (event.target.id !== "reply-text" || event.target.value !== "/") return;
    if (open()) event.target.value = "";
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "snippet-find" || event.isComposing) return;
    if (event.key === "Enter") { event.preventDefault(); event.stopPropagation(); if (coming) wanted = true; else $("#snippets .item")?.click(); }
    if (event.key === "ArrowDown") { event.preventDefault(); event.stopPropagation(); $("#snippets .item")?.focus(); }
  }, true);
})();
