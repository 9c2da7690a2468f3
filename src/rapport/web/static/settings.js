/* Settings pages: line numbers beside the rules, and a button that copies. Everything works without it. */
for (const editor of document.querySelectorAll(".editor")) {
  const area = editor.querySelector("textarea");
  const gutter = document.createElement("div");
  gutter.className = "gutter";
  gutter.setAttribute("aria-hidden", "true");
  editor.prepend(gutter);
  editor.classList.add("numbered");
  let count = 0;
  const number = () => {
    const lines = area.value.split("\n").length;
    if (lines === count) return;
    count = lines;
    const marked = Number(editor.dataset.line || 0);
    gutter.replaceChildren(...Array.from({ length: lines }, (_, i) => {
      const line = document.createElement(i + 1 === marked ? "b" : "span");
      line.textContent = String(i + 1);
      return line;
    }));
  };
  const follow = () => { gutter.scrollTop = area.scrollTop; };
  area.addEventListener("input", number);
  area.addEventListener("scroll", follow);
  number();
  if (editor.dataset.line) {
    const height = gutter.firstChild.offsetHeight;
    area.scrollTop = Math.max(0, (Number(editor.dataset.line) - 6) * height);
    follow();
  }
}
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    await navigator.clipboard.writeText(field.value);
    button.textContent = button.dataset.copied;
  });
}
