/* Images that are dragged, pasted or chosen into the composer, and words that are cut into a thread. */
"use strict";
(() => {
  const { $, say, csrf } = Rapport;
  const strip = () => $("#images");
  const KINDS = ["image/jpeg", "image/png", "image/gif", "image/webp"];
  let waiting = null;

  function saveSoon() {
    clearTimeout(waiting);
    waiting = setTimeout(() => { const field = $("#reply-text"); if (field) htmx.trigger(field, "again"); }, 900);
  }
  async function bring(files) {
    const open = $("#main")?.dataset.conversation;
    for (const file of files) {
      const place = strip();
      if (!place?.dataset.add) return;
      const form = new FormData($("#reply"));
      form.set("file", file, "image");
      form.set("csrfmiddlewaretoken", csrf());
      place.setAttribute("aria-busy", "true");
      const answer = await fetch(place.dataset.add, { method: "POST", body: form, headers: { "HX-Request": "true" }, credentials: "same-origin" }).catch(() => null);
      place.removeAttribute("aria-busy");
      if ($("#main")?.dataset.conversation !== open || !strip()) return;
      if (!answer?.ok) { say(answer?.status === 422 ? await answer.text() : document.body.dataset.wrong, "error"); continue; }
      strip().innerHTML = await answer.text();
      htmx.process(strip());
      strip().querySelector(".picture:last-of-type textarea")?.focus();
      saveSoon();
    }
  }
  const pictures = (transfer) => [...(transfer?.files || [])].filter((file) => KINDS.includes(file.type));

  document.addEventListener("click", async (event) => {
    if (event.target.closest("[data-add-image]")) { event.preventDefault(); $("#image-file").click(); return; }
    const cut = event.target.closest("[data-thread]");
    if (!cut) return;
    event.preventDefault();
    const answer = await fetch(cut.getAttribute("formaction"), { method: "POST", body: new FormData($("#reply")), headers: { "HX-Request": "true", "X-CSRFToken": csrf() }, credentials: "same-origin" }).catch(() => null);
    if (!answer?.ok) return void say(answer?.status === 422 ? await answer.text() : document.body.dataset.wrong, "error");
    const told = await answer.json();
    const field = $("#reply-text");
    field.value = told.text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    htmx.trigger(field, "again");
    field.focus();
    say(told.say);
  });
  document.addEventListener("change", (event) => {
    if (event.target.id === "image-file") { const files = [...event.target.files]; event.target.value = ""; bring(files); }
    if (event.target.matches("[data-alt]")) saveSoon();
  });
  document.addEventListener("input", (event) => { if (event.target.matches("textarea[data-alt]")) saveSoon(); });
  document.addEventListener("paste", (event) => {
    const found = event.target.id === "reply-text" ? pictures(event.clipboardData) : [];
    if (found.length && strip()) { event.preventDefault(); bring(found); }
  });
  for (const kind of ["dragover", "drop"]) {
    document.addEventListener(kind, (event) => {
      if (!event.target.closest?.("#reply") || !strip() || !event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      if (kind === "drop") bring(pictures(event.dataTransfer));
    });
  }
})();
