/* Naming a colleague in a note: @ and a few letters offer those who see the conversation. */
"use strict";
(() => {
  const { $ } = Rapport;
  const BEGUN = /(?:^|[^\p{L}\p{N}@._])@([\p{L}\p{N}._-]{0,30})$/u;
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  let known = { of: "", html: "" };
  let asking = { of: "", answer: null };

  function box() {
    let list = $("#note-names");
    if (!list) {
      list = document.createElement("ul");
      list.id = "note-names";
      list.className = "sheet names";
      list.setAttribute("role", "listbox");
      list.hidden = true;
      $("#note-text").after(list);
    }
    return list;
  }
  function close() {
    const list = $("#note-names");
    if (!list) return;
    list.remove();
    const field = $("#note-text");
    for (const name of ["aria-activedescendant", "aria-controls", "aria-expanded"]) field?.removeAttribute(name);
  }
  function before() {
    const field = $("#note-text");
    return field ? field.value.slice(0, field.selectionStart) : "";
  }
  async function people() {
    const open = $("#main").dataset.conversation;
    if (known.of === open) return known.html;
    if (asking.of !== open) {
      asking = { of: open, answer: fetch(`${document.body.dataset.root}c/${open}/names`, { headers: { "HX-Request": "true" }, credentials: "same-origin" })
        .then((answer) => (answer.ok && !answer.redirected ? answer.text() : "")).catch(() => "") };
    }
    const { answer } = asking;
    const html = await answer;
    if (asking.answer === answer) asking = { of: "", answer: null };
    if (html) known = { of: open, html };
    return html;
  }
  function mark(item) {
    for (const each of box().children) each.setAttribute("aria-selected", String(each === item));
    $("#note-text").setAttribute("aria-activedescendant", item.id);
    item.scrollIntoView({ block: "nearest" });
  }
  async function offer() {
    if (!BEGUN.test(before())) return close();
    const open = $("#main").dataset.conversation;
    const html = await people();
    if ($("#main")?.dataset.conversation !== open) return;
    // more was written, or the page was read again, while the names were on their way
    const field = $("#note-text");
    const begun = BEGUN.exec(before());
    if (document.activeElement !== field || !begun || !html) return close();
    const list = box();
    list.innerHTML = html;
    const asked = plain(begun[1]);
    for (const item of [...list.children]) if (!plain(item.dataset.name).split(/\s+/).some((word) => word.startsWith(asked))) item.remove();
    if (!list.children.length) return close();
    list.hidden = false;
    field.setAttribute("aria-controls", "note-names");
    field.setAttribute("aria-expanded", "true");
    mark(list.firstElementChild);
  }
  function take(item) {
    const field = $("#note-text");
    const at = field.selectionStart;
    const begun = BEGUN.exec(field.value.slice(0, at));
    close();
    if (!begun) return;
    field.setRangeText(`@${item.dataset.name} `, at - begun[1].length - 1, at, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.focus();
  }
  document.addEventListener("input", (event) => { if (event.target.id === "note-text") offer(); });
  // the conversation was read again: the page from the server knows nothing of the list that stood here
  document.addEventListener("desk-read", () => { if (document.activeElement?.id === "note-text") offer(); });
  document.addEventListener("keydown", (event) => {
    const list = $("#note-names");
    if (!list || event.target.id !== "note-text" || event.isComposing || event.keyCode === 229) return;
    const all = [...list.children];
    const at = all.findIndex((each) => each.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") mark(all[(at + (event.key === "ArrowDown" ? 1 : all.length - 1)) % all.length]);
    else if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey) || event.key === "Tab") take(all[Math.max(at, 0)]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
  document.addEventListener("mousedown", (event) => {
    const item = event.target.closest("#note-names li");
    if (item) { event.preventDefault(); take(item); }
  });
  document.addEventListener("focusout", (event) => { if (event.target.id === "note-text") close(); });
})();
