// Lists what a reader with a keyboard, a screen reader, a small window or weak eyes would miss on the page.
(() => {
  const faults = [];
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth + 1) {
    const wide = [...document.querySelectorAll("main *")].find((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll, .strip, .book > div, pre, .sr"));
    faults.push("reaches beyond the window: " + root.scrollWidth + " by " + (wide ? wide.outerHTML.slice(0, 120) : "?"));
  }
  if (!root.lang) faults.push("no language");
  if (!document.title) faults.push("no title");
  if (document.querySelectorAll("main").length !== 1) faults.push("no one main part");
  const heads = [...document.querySelectorAll("h1, h2, h3, h4")];
  if (heads.filter((h) => h.tagName === "H1").length !== 1) faults.push("not one first heading");
  heads.reduce((before, h) => {
    const level = Number(h.tagName[1]);
    if (level > before + 1) faults.push("a heading skips a level: " + h.textContent);
    return level;
  }, 0);
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  if (new Set(ids).size !== ids.length) faults.push("an id twice");
  for (const field of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    if (!field.labels?.length && !field.getAttribute("aria-label")) faults.push("a field without a label: " + field.name);
  }
  for (const e of document.querySelectorAll("a, button")) {
    if (!e.textContent.trim() && !e.getAttribute("aria-label")) faults.push("a link or button without a text: " + e.outerHTML.slice(0, 100));
  }
  for (const e of document.querySelectorAll("svg")) {
    if (e.getAttribute("aria-hidden") !== "true" && !e.getAttribute("aria-label")) faults.push("a picture without a text");
  }
  for (const e of document.querySelectorAll(".btn, .nav a")) {
    const box = e.getBoundingClientRect();
    if (box.width && (box.height < 24 || box.width < 24)) faults.push("a small target: " + e.textContent.trim());
  }
  // The contrast of texts on their grounds, by WCAG 2.2.
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const known = new Map(); // to read a pixel takes long
  const rgba = (color) => {
    if (!known.has(color)) known.set(color, pixel(color));
    return known.get(color);
  };
  const pixel = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const color = rgba(getComputedStyle(e).backgroundColor);
      if (color[3] === 255) return color;
    }
    return rgba("white");
  };
  const seen = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const e = texts.currentNode.parentElement;
    if (!texts.currentNode.textContent.trim() || e.closest("svg, script, .sr, .skip, option") || !e.getClientRects().length || seen.has(e)) continue;
    seen.add(e);
    if (getComputedStyle(e).fontSize === "0px") continue;
    const a = light(rgba(getComputedStyle(e).color)), b = light(ground(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faults.push("too little contrast, " + ratio.toFixed(2) + ": " + e.outerHTML.slice(0, 100));
  }
  return [...new Set(faults)].slice(0, 12);
})();
