/* Several conversations at once: boxes in the list, x, Shift for a range; a bar with what can be done; undo. */
"use strict";
(() => {
  const { $, $$, say, csrf } = Rapport;
  const bar = $("#bulk");
  const root = document.body.dataset.root || "";
  const AT_ONCE = 50; // conversations of one call, so that progress can be seen

  // ------------------------------------------------------------------ undo
  let deeds = []; // of the last act, where it was done here
  let undoing = false;
  async function undo(named) {
    if (!root || undoing) return;
    undoing = true;
    const form = new URLSearchParams();
    for (const each of named) form.append("deed", each);
    deeds = [];
    const answer = await fetch(`${root}undo`, { method: "POST", body: form, headers: { "X-CSRFToken": csrf(), "HX-Request": "true" }, credentials: "same-origin" }).catch(() => null);
    undoing = false;
    const told = answer?.headers.get("HX-Trigger");
    if (!told) return void say(document.body.dataset.wrong, "error");
    for (const [name, detail] of Object.entries(JSON.parse(told))) document.dispatchEvent(new CustomEvent(name, { detail }));
    // a page that is not read again by itself
    if (!$("#list") && told.includes("desk-changed")) setTimeout(() => location.reload(), 600);
  }
  document.addEventListener("desk-changed", (event) => { deeds = event.detail.undo ? [event.detail.undo] : []; });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-deeds]");
    if (!button) return;
    $("#toasts").replaceChildren();
    undo(button.dataset.deeds.split(","));
  });
  Rapport.key("z", () => { $("#toasts").replaceChildren(); undo(deeds); });
  if (!bar) return;

  // ------------------------------------------------------------------ choosing
  const boxes = () => $$("[data-pick]");
  const chosen = () => boxes().filter((box) => box.checked);
  let last = null; // the box that was pressed last: where a range begins
  let asked = null; // the bar is on its way, or here
  function show() {
    const count = chosen().length;
    bar.hidden = count === 0;
    $("#list").classList.toggle("choosing", count > 0);
    if (!count) return;
    asked ??= fetch(`${root}bulk/bar/`, { headers: { "HX-Request": "true" }, credentials: "same-origin" }).then(async (answer) => {
      if (!answer.ok || answer.redirected) throw new Error(answer.status);
      bar.innerHTML = await answer.text();
      show();
    }).catch(() => { asked = null; say(document.body.dataset.wrong, "error"); });
    const line = $("#bulk-count");
    if (line) line.textContent = (count === 1 ? bar.dataset.one : bar.dataset.many).replace("{n}", count);
  }
  function range(from, to) {
    const all = boxes();
    const [low, high] = [all.indexOf(from), all.indexOf(to)].sort((a, b) => a - b);
    for (const box of low < 0 ? [to] : all.slice(low, high + 1)) box.checked = to.checked;
  }
  function none() { for (const box of chosen()) box.checked = false; show(); }
  document.addEventListener("click", (event) => {
    const box = event.target.closest("[data-pick]");
    if (box) {
      if (event.shiftKey && last) range(last, box);
      last = box;
      return void show();
    }
    const row = event.shiftKey && event.target.closest("[data-row]");
    if (row && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      const mine = $(`[data-pick][value="${row.dataset.row}"]`);
      if (!mine) return;
      mine.checked = true;
      range(last || mine, mine);
      last = mine;
      return void show();
    }
    if (event.target.closest("[data-bulk-none]")) return void none();
    if (event.target.closest("[data-bulk-all]")) { for (const each of boxes()) each.checked = true; return void show(); }
    const act = event.target.closest("[data-bulk]");
    if (act) run(act.dataset.bulk, act.dataset.from ? $(`#${act.dataset.from}`).value : act.dataset.value);
  }, true);
  new MutationObserver(show).observe($("#list"), { childList: true, subtree: true });
  Rapport.key("x", () => {
    const row = document.activeElement?.closest?.("[data-row]") || Rapport.rows().find((each) => each.hasAttribute("aria-current")) || Rapport.rows()[0];
    const box = row && $(`[data-pick][value="${row.dataset.row}"]`);
    if (!box) return;
    box.checked = !box.checked;
    last = box;
    row.focus();
    show();
  });

  // ------------------------------------------------------------------ doing
  let busy = false;
  async function run(verb, value) {
    const ids = chosen().map((box) => box.value);
    if (!ids.length || busy) return;
    busy = true;
    for (const menu of $$("details[open]", bar)) menu.open = false;
    const progress = $("#bulk-progress");
    progress.max = ids.length;
    progress.value = 0;
    progress.hidden = ids.length <= AT_ONCE;
    const done = [];
    let kept = 0;
    let changed = 0;
    let told = "";
    try {
      for (let at = 0; at < ids.length; at += AT_ONCE) {
        const form = new URLSearchParams({ verb, value });
        for (const id of ids.slice(at, at + AT_ONCE)) form.append("id", id);
        const answer = await fetch(`${root}bulk/`, { method: "POST", body: form, headers: { "X-CSRFToken": csrf(), Accept: "application/json" }, credentials: "same-origin" });
        const found = (answer.headers.get("Content-Type") || "").startsWith("application/json") ? await answer.json() : null;
        if (!found) throw new Error(answer.status);
        told = found.say;
        kept += found.kept;
        changed += found.done;
        if (found.deed) done.push(found.deed);
        progress.value = Math.min(at + AT_ONCE, ids.length);
      }
      if (ids.length > AT_ONCE) told = bar.dataset.done.replace("{n}", changed).replace("{kept}", kept);
      if (changed) none();
      say(told, changed ? "" : "error", done.join(","));
      deeds = done;
    } catch {
      say(bar.dataset.refused, "error", done.join(","));
    } finally {
      busy = false;
      progress.hidden = true;
      Rapport.refresh({ list: true, talk: true });
    }
  }
  const MEANT = { a: "bulk-a", s: "bulk-s", m: "bulk-m" };
  for (const [press, menu] of Object.entries(MEANT)) {
    const single = Rapport.act(press);
    Rapport.key(press, () => { if (chosen().length) Rapport.openMenu(menu); else single(); });
  }
  const finish = Rapport.act("e");
  Rapport.key("e", () => { if (chosen().length) run("resolve", ""); else finish(); });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !chosen().length || $("details[data-menu][open]") || $("dialog[open]") || event.target.matches?.("input:not([type=checkbox]),textarea,select")) return;
    none();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.id !== "bulk-tag") return;
    event.preventDefault();
    run("tag", event.target.value);
  });
})();
