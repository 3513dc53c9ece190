// Measures each text of each drawing on the page, in the drawing's own units, and leaves the list on the root element.
// It stands inside XML too, so it has no "less than" and no ampersand.
(() => {
  const measured = [...document.querySelectorAll("svg")].map((svg) => ({
    width: svg.viewBox.baseVal.width,
    height: svg.viewBox.baseVal.height,
    texts: [...svg.querySelectorAll("text")].map((text) => {
      const box = text.getBBox();
      const glyphs = Array.from({ length: text.getNumberOfChars() }, (_, i) => ({
        left: text.getStartPositionOfChar(i).x,
        right: text.getEndPositionOfChar(i).x,
        base: text.getStartPositionOfChar(i).y,
      }));
      return { text: text.textContent, left: box.x, top: box.y, right: box.x + box.width, bottom: box.y + box.height, glyphs };
    }),
  }));
  document.documentElement.setAttribute("data-measured", encodeURIComponent(JSON.stringify(measured)));
})();
