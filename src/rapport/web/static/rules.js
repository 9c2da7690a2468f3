/* The editors of rules: what is wrong while one types, words to choose from under the caret. The server knows the
   language; this file carries what it says to where it belongs. */
"use strict";

/* Nothing typed is lost by a wrong click, nor after a save that was refused: the browser asks before it leaves.
   Returns what says that all is saved. */
function guardTyping(form) {
  let unsaved = "unsaved" in form.dataset;
  form.addEventListener("input", () => { unsaved = true; });
  form.addEventListener("submit", () => { unsaved = false; });
  window.addEventListener("beforeunload", (event) => { if (unsaved) event.preventDefault(); });
  return (saved) => { unsaved = !saved; };
}

// ---------------------------------------------------------------- one rule as rows
(() => {
  const form = document.getElementById("rule-rows");
  if (!form) return;
  // what can be compared, and with what, follows from what is asked: the server says it
  form.addEventListener("change", (event) => {
    if (event.target.matches("select:not([name=autonomy]):not([name=in_group]):not([name=value]):not([name=argument])")) form.dispatchEvent(new Event("look"));
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.elt === form || form.contains(event.detail.elt)) document.body.dispatchEvent(new Event("rows-changed"));
  });
  const settle = guardTyping(form);
  // htmx sends it: what comes back says whether it is saved
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    if (event.detail.elt === form) settle(Boolean(event.detail.xhr.getResponseHeader("HX-Redirect")));
  });
})();

// ---------------------------------------------------------------- rules as a table
(() => {
  const form = document.getElementById("rule-table");
  if (form) guardTyping(form);
})();

// ---------------------------------------------------------------- the rules as text
(() => {
  const form = document.getElementById("rule-text");
  if (!form) return;
  const box = form.querySelector(".editor");
  const area = box.querySelector("textarea");
  const under = box.querySelector(".under");
  const sheet = under.appendChild(document.createElement("div"));
  const list = document.getElementById("choices");
  const said = document.getElementById("editor-said");
  const told = document.getElementById("suggested");
  for (const plain of form.querySelectorAll("[data-plain]")) plain.remove();

  // ------------------------------------------------------------------ what is wrong, and where
  const gutter = () => box.querySelector(".gutter");
  function mark(problem) {
    sheet.replaceChildren();
    for (const old of gutter()?.querySelectorAll(".bad") ?? []) old.classList.remove("bad");
    area.toggleAttribute("aria-invalid", Boolean(problem));
    if (problem) area.setAttribute("aria-invalid", "true");
    if (!problem) return;
    const line = area.value.split("\n")[problem.line - 1] ?? "";
    // the server counts characters, strings here count halves of some
    const letters = [...line];
    const start = Math.min(problem.column - 1, letters.length);
    let end = start;
    while (end < letters.length && /[\w.@-]/.test(letters[end])) end += 1;
    const under_it = document.createElement("mark");
    under_it.textContent = letters.slice(start, Math.max(end, start + 1)).join("") || " ";
    sheet.append("\n".repeat(problem.line - 1) + letters.slice(0, start).join(""), under_it);
    follow();
    gutter()?.children[problem.line - 1]?.classList.add("bad");
  }
  function follow() { sheet.style.setProperty("transform", `translate(${-area.scrollLeft}px, ${-area.scrollTop}px)`); }

  let asked = 0;
  let waiting;
  async function check() {
    const mine = ++asked;
    const sent = new FormData(form);
    let answer;
    try {
      const reply = await fetch(form.dataset.check, { method: "POST", body: sent, headers: { "X-Requested-With": "fetch" } });
      if (!reply.ok) return;
      answer = await reply.json();
    } catch { return; } // offline: the save will tell
    if (mine !== asked) return;
    said.classList.toggle("problem", Boolean(answer.problem));
    if (said.textContent !== answer.said) said.textContent = answer.said;
    mark(answer.problem);
    show(answer.faults ?? null);
  }
  /* What is wrong although it can be used; a text that cannot be used keeps what was said last. */
  const wrong = document.getElementById("faults-found");
  function show(faults) {
    if (!faults) return;
    wrong.hidden = !faults.length;
    wrong.replaceChildren(...faults.slice(0, 50).map((fault) => {
      const item = document.createElement("li");
      const to = document.createElement("a");
      to.href = `?line=${fault.line}`;
      to.dataset.toLine = fault.line;
      to.textContent = `${wrong.dataset.line} ${fault.line}`;
      item.append(to, ` ${fault.said} ${fault.mend}`);
      return item;
    }));
  }
  area.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(check, 400); });
  area.addEventListener("scroll", () => { follow(); close(); });
  said.addEventListener("click", () => {
    const bad = gutter()?.querySelector(".bad");
    if (bad) seek([...gutter().children].indexOf(bad) + 1);
  });

  function seek(line) {
    const lines = area.value.split("\n");
    const at = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    area.focus();
    area.setSelectionRange(at, at);
    const height = gutter()?.firstChild?.offsetHeight || 20;
    area.scrollTop = Math.max(0, (line - 6) * height);
    follow();
  }
  document.addEventListener("click", (event) => {
    const to = event.target.closest("[data-to-line]");
    if (to) { event.preventDefault(); seek(Number(to.dataset.toLine)); }
  });

  // ------------------------------------------------------------------ words to choose from
  let words = null;
  async function learn() {
    if (words) return;
    words = {};
    try { words = await (await fetch(form.dataset.words)).json(); } catch { words = null; }
  }
  area.addEventListener("focus", learn, { once: true });

  /* What stands before the caret -> the words that fit and where the one being written begins. */
  function context() {
    const at = area.selectionStart;
    const before = area.value.slice(0, at);
    const start = before.lastIndexOf("\n") + 1;
    const line = before.slice(start);
    const section = before.lastIndexOf("\n[[", at) >= 0 || before.startsWith("[[");
    // the key of this value; a list may have begun on a line above
    let key = /^\s*(\w+)\s*=/.exec(line)?.[1];
    if (!key && /(?:^|\n)[ \t]*then\s*=\s*\[[^\]]*$/.test(before)) key = "then";
    if (!key && /(?:^|\n)[ \t]*when\s*=\s*('''|""")(?:(?!\1)[^])*$/.test(before)) key = "when";
    const found = (options, pattern) => {
      const typed = pattern.exec(line)?.[0] ?? "";
      return { options, typed, from: at - typed.length };
    };
    if (!key) {
      if (!/^\s*[\w[]*$/.test(line)) return null;
      return found([...(section ? words.keys : words.top), { word: "[[rule]]", means: "" }], /[\w[]*$/);
    }
    if (key === "when") {
      const choice = /([\w.]+)\s*(?:==|!=|in\s*\[[^\]]*)\s*["']([\w-]*)$/.exec(line);
      if (choice && words.choices[choice[1]]) return found(words.choices[choice[1]].map((word) => ({ word })), /[\w-]*$/);
      if (/\btopics\s+has\s+["'][\w-]*$/.test(line)) return found(words.topics.map((word) => ({ word })), /[\w-]*$/);
      if (/["'][^"']*$/.test(line.replace(/^\s*when\s*=\s*("""|'''|["'])/, "").replace(/"[^"]*"/g, ""))) return null;
      return found([...words.fields, ...words.functions, ...words.words], /[A-Za-z_][\w.]*$/);
    }
    if (key === "then" && /["'][^"']*$/.test(line)) {
      const verb = /["'](\w+):([^"':]*)$/.exec(line);
      if (verb) return words.arguments[verb[1]] ? found(words.arguments[verb[1]], /[^"':]*$/) : null;
      return found(words.actions, /\w*$/);
    }
    if (key === "fallback") return found(words.arguments.basket, /[\w-]*$/);
    if (key === "autonomy") return found(words.autonomy.map((word) => ({ word })), /\w*$/);
    if (key === "stop" || key === "enabled" || key === "on") return found([{ word: "true" }, { word: "false" }], /\w*$/);
    return null;
  }

  let open = null; // { from, options, chosen }
  function suggest(wanted) {
    if (!words?.fields) return close();
    const now = context();
    if (!now || (!wanted && !now.typed)) return close();
    const typed = now.typed.toLowerCase();
    const rank = (option) => {
      const word = option.word.toLowerCase();
      if (word.startsWith(typed)) return 0;
      if (word.split(/[._(]/).some((part) => part.startsWith(typed))) return 1;
      return typed.length > 1 && word.includes(typed) ? 2 : -1;
    };
    const fitting = now.options.map((option) => [rank(option), option]).filter(([place]) => place >= 0);
    fitting.sort((one, other) => one[0] - other[0]);
    const options = fitting.slice(0, 30).map(([, option]) => option);
    if (!options.length || (!wanted && options.length === 1 && options[0].word === now.typed)) return close();
    open = { from: now.from, options, chosen: 0 };
    list.replaceChildren(...options.map((option, place) => {
      const item = document.createElement("li");
      item.role = "option";
      item.id = `choice-${place}`;
      const word = document.createElement("code");
      word.textContent = option.word;
      item.append(word);
      if (option.means) {
        const means = document.createElement("span");
        means.textContent = option.means;
        item.append(means);
      }
      item.addEventListener("mousedown", (event) => { event.preventDefault(); open.chosen = place; take(); });
      return item;
    }));
    list.hidden = false;
    put();
    choose(0);
    const say = `${options.length} ${form.dataset.suggested}`;
    if (told.textContent !== say) told.textContent = say;
  }
  function choose(place) {
    open.chosen = (place + open.options.length) % open.options.length;
    for (const [at, item] of [...list.children].entries()) item.setAttribute("aria-selected", String(at === open.chosen));
    const chosen = list.children[open.chosen];
    area.setAttribute("aria-activedescendant", chosen.id);
    area.setAttribute("aria-controls", list.id);
    chosen.scrollIntoView({ block: "nearest" });
  }
  function close() {
    open = null;
    list.hidden = true;
    area.removeAttribute("aria-activedescendant");
    told.textContent = "";
  }
  function take() {
    const word = open.options[open.chosen].word;
    const { from } = open;
    close();
    area.setSelectionRange(from, area.selectionStart);
    // keeps undo working where the browser can
    if (!document.execCommand?.("insertText", false, word)) area.setRangeText(word, from, area.selectionStart, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
    if (word.endsWith(":")) suggest(true); else close();
  }
  /* Below the word: measured with the same letters in the layer under the text. */
  function put() {
    const style = getComputedStyle(area);
    const line = area.value.slice(0, open.from).split("\n");
    const ruler = document.createElement("span");
    ruler.className = "ruler";
    ruler.textContent = line.at(-1) || "";
    under.append(ruler);
    const height = parseFloat(style.lineHeight) || 20;
    const left = area.offsetLeft + parseFloat(style.paddingInlineStart) + ruler.offsetWidth - area.scrollLeft;
    const top = area.offsetTop + parseFloat(style.paddingBlockStart) + line.length * height - area.scrollTop;
    ruler.remove();
    list.style.setProperty("inset-inline-start", `${Math.max(0, Math.min(left, box.clientWidth - list.offsetWidth - 8))}px`);
    const below = top + list.offsetHeight <= box.clientHeight || top < list.offsetHeight;
    list.style.setProperty("inset-block-start", `${below ? top : top - height - list.offsetHeight}px`);
  }
  area.addEventListener("input", (event) => { if (event.isTrusted) suggest(false); });
  area.addEventListener("blur", close);
  area.addEventListener("click", close);
  area.addEventListener("keydown", (event) => {
    if (event.key === " " && event.ctrlKey) { event.preventDefault(); learn().then(() => suggest(true)); return; }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(); return; }
    if (!open) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); choose(open.chosen + (event.key === "ArrowDown" ? 1 : -1)); }
    else if (event.key === "Enter" || event.key === "Tab") { event.preventDefault(); take(); }
    else if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); close(); }
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight" || event.key === "Home" || event.key === "End") close();
  });

  guardTyping(form);
  if (box.dataset.seek) seek(Number(box.dataset.seek));
  learn();
  check();
})();
