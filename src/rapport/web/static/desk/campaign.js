/* The work of a campaign: send and go on by one key, check a list, keep what is typed. */
"use strict";
(() => {
  const { $, $$, say, csrf } = Rapport;
  const form = $("#campaign-work");
  if (!form) return;
  const cards = () => $$("[data-post]", form);
  const open = () => cards().filter((card) => $("[data-text]", card));
  const here = () => document.activeElement?.closest?.("[data-post]");

  // ------------------------------------------------------------------ one after the other
  function goTo(card, writing) {
    if (!card) return;
    const field = writing && $("[data-text]", card);
    (field || card).focus();
    if (field) field.setSelectionRange(field.value.length, field.value.length);
    card.scrollIntoView({ block: "nearest" });
  }
  function step(by) {
    const all = cards();
    const at = all.indexOf(here());
    goTo(all[at < 0 ? 0 : Math.max(0, Math.min(all.length - 1, at + by))]);
  }
  const pressed = new Set(); // posts that are on their way: a second press is the first one again
  async function press(button) {
    const card = button.closest("[data-post]");
    const id = card.dataset.post;
    if (pressed.has(id)) return;
    pressed.add(id);
    clearTimeout(saving.get(id));
    const fields = new FormData();
    fields.set(button.name, button.value);
    for (const field of $$("input,textarea", card)) if (field.name && field.type !== "checkbox") fields.set(field.name, field.value);
    const all = open();
    const next = all[all.indexOf(card) + 1] || all.find((each) => each !== card);
    const writing = button.name === "one";
    button.disabled = true;
    const answer = await fetch(form.action, { method: "POST", body: fields, headers: { "HX-Request": "true", "X-CSRFToken": csrf() }, credentials: "same-origin" }).catch(() => null);
    pressed.delete(id);
    button.disabled = false;
    const told = answer ? await answer.text() : "";
    if (!answer?.ok || answer.redirected || answer.headers.get("HX-Redirect")) {
      const plain = (answer?.headers.get("Content-Type") || "").startsWith("text/plain");
      return void say(plain ? told : document.body.dataset.wrong, "error");
    }
    const was = here() === card || !here();
    const box = document.createElement("template");
    box.innerHTML = told.trim();
    const fresh = box.content.firstElementChild;
    card.replaceWith(fresh);
    const left = $("[data-left]");
    if (left && fresh.dataset.waiting) left.textContent = fresh.dataset.waiting;
    count();
    if (!was) return;
    if ($("[data-text]", fresh)) return void goTo(fresh, true); // it was not sent: the reason stands above its box
    goTo(next || fresh, writing && Boolean(next));
  }
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button[name=one],button[name=skip],button[name=back]");
    if (!button) return;
    event.preventDefault();
    press(button);
  });
  form.addEventListener("keydown", (event) => {
    const card = event.target.closest("[data-post]");
    if (!card || event.isComposing || event.key !== "Enter") return;
    if (event.ctrlKey || event.metaKey) {
      const button = $("button[name=one]", card);
      if (button) { event.preventDefault(); event.stopPropagation(); press(button); }
    } else if (event.target.name?.startsWith("reason-")) {
      event.preventDefault();
      press($("button[name=skip]", card));
    }
  });
  Rapport.key("j", () => step(1));
  Rapport.key("k", () => step(-1));
  Rapport.key("r", () => goTo(here() || open()[0], true));
  Rapport.key("o", () => { const link = $("h2 a", here() || form); if (link) location.assign(link.href); });
  Rapport.key("x", () => { const box = $("[data-check]", here() || open()[0]); if (box) { box.checked = !box.checked; count(); } });
  Rapport.key("s", () => {
    const fold = $(".leave", here() || open()[0]);
    if (fold) { fold.open = true; $("input", fold).focus(); }
  });

  // ------------------------------------------------------------------ a checked list
  const all = $("[data-all]", form);
  const words = all && $("span", all);
  const plain = words?.textContent;
  function count() {
    const n = $$("[data-check]:checked", form).length;
    if (words) words.textContent = n ? all.dataset.all.replace("{n}", n) : plain;
  }
  form.addEventListener("change", (event) => {
    if (event.target.matches("[data-check-all]")) for (const box of $$("[data-check]", form)) box.checked = event.target.checked;
    count();
  });

  // ------------------------------------------------------------------ what is typed is kept
  const saving = new Map();
  let turn = Promise.resolve(); // one after the other: each begins from what the one before it left
  form.addEventListener("input", (event) => {
    const id = event.target.dataset?.text;
    if (!id) return;
    clearTimeout(saving.get(id));
    saveIn(900, id);
  });
  function saveIn(wait, id) {
    saving.set(id, setTimeout(() => { turn = turn.then(() => save(id)).catch(() => saveIn(3000, id)); }, wait));
  }
  async function save(id) {
    const field = $(`[data-text="${id}"]`, form);
    if (!field || pressed.has(id)) return;
    const fields = new FormData(), said = field.value, was = form.elements[`was-${id}`];
    fields.set("text", said);
    fields.set("was", was.value);
    const answer = await fetch(`${form.dataset.texts}${id}/text/`, { method: "POST", body: fields, headers: { "HX-Request": "true", "X-CSRFToken": csrf() }, credentials: "same-origin" }).catch(() => null);
    if (!answer) return void saveIn(3000, id);
    const told = await answer.text();
    if (answer.ok && !answer.redirected && !answer.headers.get("HX-Redirect")) {
      $(`#checks-${id}`).innerHTML = told;
      // what stands now, for whatever is sent with the whole page
      was.value = said;
    }
    else say((answer.headers.get("Content-Type") || "").startsWith("text/plain") ? told : document.body.dataset.wrong, "error");
  }
  count();
  if (location.hash.startsWith("#post-")) goTo($(location.hash));
})();
