"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const byId = (id) => document.getElementById(id);
  const items = all(".requirement");
  const texts = new Map(items.map((item) => [item, item.textContent.toLowerCase()]));
  root.classList.add("js");

  const pressed = (kind) => all(`.chip[data-kind=${kind}][aria-pressed=true]`).map((chip) => chip.dataset.key);
  const chosen = (kind) => (byId(kind) ? byId(kind).value : "");

  function filter() {
    if (!byId("filters")) return;
    const outcomes = pressed("outcome"), levels = pressed("level");
    const run = chosen("run"), family = chosen("family");
    const words = byId("text").value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const item of items) {
      const { outcome, level, run: itsRun, family: itsFamily } = item.dataset;
      item.hidden = (outcomes.length > 0 && !outcomes.includes(outcome)) || (levels.length > 0 && !levels.includes(level))
        || (run !== "" && run !== itsRun) || (family !== "" && family !== itsFamily)
        || !words.every((word) => texts.get(item).includes(word));
      if (!item.hidden) shown += 1;
    }
    for (const exchanges of all(".exchanges")) exchanges.hidden = shown !== items.length;
    for (const section of all(".family, .run")) section.hidden = !section.querySelector(".requirement:not([hidden])");
    const filtered = shown !== items.length;
    for (const why of all(".why")) why.hidden = filtered;
    byId("shown").textContent = filtered ? `${shown} of ${items.length} shown` : `${items.length} requirements`;
    byId("nothing").hidden = shown > 0;
    name();
  }

  function visible() { return items.filter((item) => !item.hidden); }
  function name() { if (byId("unfold")) byId("unfold").textContent = visible().some((item) => !item.open) ? "Unfold all" : "Fold all"; }

  function reveal() {
    const item = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const held = item && item.closest(".requirement, .exchange");
    if (!held) return;
    if (held.closest("[hidden]")) {
      byId("filters").reset();
      setTimeout(reveal);
      return;
    }
    held.open = true;
    held.scrollIntoView();
  }

  async function copy(button) {
    const text = button.closest(".copyable").querySelector("pre");
    let done = true;
    try {
      await navigator.clipboard.writeText(text.textContent);
    } catch {
      getSelection().selectAllChildren(text);
      done = document.execCommand("copy");
    }
    button.textContent = done ? "Copied" : "Press Ctrl+C";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  }

  function theme() {
    const now = root.style.colorScheme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    root.style.colorScheme = now === "dark" ? "light" : "dark";
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.matches(".chip")) {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      filter();
    } else if (button.matches(".copy")) copy(button);
    else if (button.id === "theme") theme();
    else if (button.id === "unfold") {
      const open = visible().some((item) => !item.open);
      for (const item of visible()) item.open = open;
      name();
    }
  });
  document.addEventListener("toggle", name, true);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && byId("text") && !event.ctrlKey && !event.metaKey && !event.target.closest("input, select")) {
      event.preventDefault();
      byId("text").focus();
    }
  });
  if (byId("filters")) {
    byId("filters").addEventListener("input", filter);
    byId("filters").addEventListener("submit", (event) => event.preventDefault());
    byId("filters").addEventListener("reset", () => {
      for (const chip of all(".chip")) chip.setAttribute("aria-pressed", "false");
      setTimeout(filter);
    });
  }
  addEventListener("hashchange", reveal);
  filter();
  reveal();
})();
