// Figures as files: SVG with every style written out, and PNG drawn from it on a canvas. Nothing leaves the page.

const KEPT_STYLES = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "stroke-linecap", "opacity", "font-size", "font-weight", "paint-order"];
const PLAIN_STYLES = { "stroke-dasharray": "none", "stroke-linejoin": "miter", "stroke-linecap": "butt", opacity: "1", "font-weight": "400", "paint-order": "normal" };
const PNG_SCALE = 3;
const MARGIN = 14;

/** A copy of a drawn picture in which every element carries its own style. */
function styledCopy(image) {
  const copy = image.cloneNode(true);
  const [own, copied] = [image.querySelectorAll("*"), copy.querySelectorAll("*")];
  own.forEach((node, k) => {
    const target = copied[k];
    if (["g", "title"].includes(node.tagName)) { target.removeAttribute("class"); return; }
    const style = getComputedStyle(node);
    for (const name of KEPT_STYLES) {
      const value = style.getPropertyValue(name);
      if (value && value !== PLAIN_STYLES[name]) target.setAttribute(name, value);
    }
    target.removeAttribute("class");
  });
  copy.querySelectorAll("[visibility=hidden]").forEach((node) => node.remove());
  for (const name of ["tabindex", "class", "role", "aria-label"]) copy.removeAttribute(name);
  return copy;
}

/** Draws with the light colours, whatever the reader's: files go onto white paper. */
function inLight(draw) {
  document.documentElement.classList.add("light");
  try { return draw(); } finally { document.documentElement.classList.remove("light"); }
}

function label(text, x, y, more = {}) {
  return svg("text", { x, y, fill: "#1d2127", "font-size": "13px", ...more }, text);
}

/** One picture of several parts beneath and beside each other, with a title and a legend of swatches and names. */
function sheet(title, parts, entries) {
  return inLight(() => {
    const across = parts.length > 1 ? 2 : 1;
    const sizes = parts.map(({ image }) => image.viewBox.baseVal);
    const [wide, tall] = [Math.max(...sizes.map((size) => size.width)), Math.max(...sizes.map((size) => size.height)) + 24];
    const width = across * wide + (across + 1) * MARGIN;
    const picture = svg("svg", { xmlns: SVG, "font-family": "Arial, Helvetica, sans-serif" });
    const paper = svg("rect", { width, fill: "#ffffff" });
    picture.append(paper, label(title, MARGIN, 24, { "font-weight": "600", "font-size": "15px" }));
    parts.forEach(({ name, image }, k) => {
      const [x, y] = [MARGIN + (k % across) * (wide + MARGIN), 36 + Math.floor(k / across) * tall];
      picture.append(label(name, x, y + 14, { "font-weight": "600" }));
      const copy = styledCopy(image);
      fill(copy, { x, y: y + 20, width: image.viewBox.baseVal.width, height: image.viewBox.baseVal.height }, []);
      picture.append(copy);
    });
    let [x, y] = [MARGIN, 36 + Math.ceil(parts.length / across) * tall + 22];
    for (const { name, swatch } of entries) {
      const long = 48 + 7.2 * name.length;
      if (x + long > width && x > MARGIN) [x, y] = [MARGIN, y + 22];
      const copy = styledCopy(swatch);
      fill(copy, { x, y: y - 11, width: 34, height: 14 }, []);
      picture.append(copy, label(name, x + 40, y));
      x += long;
    }
    const height = y + MARGIN;
    fill(picture, { width, height, viewBox: `0 0 ${width} ${height}` }, []);
    paper.setAttribute("height", height);
    return picture;
  });
}

const svgText = (picture) => `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(picture)}\n`;

function savePng(name, picture) {
  const image = new Image();
  image.addEventListener("load", () => {
    const canvas = el("canvas", { width: Math.round(PNG_SCALE * image.width), height: Math.round(PNG_SCALE * image.height) });
    const pen = canvas.getContext("2d");
    pen.scale(PNG_SCALE, PNG_SCALE);
    pen.drawImage(image, 0, 0);
    canvas.toBlob((blob) => save(name, blob), "image/png");
  });
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svgText(picture))}`;
}

/** Buttons that save what `made` returns when they are pressed. */
function pictureButtons(stem, title, made) {
  const asSvg = saveButton("SVG", `Download ${title} as SVG`, () => save(`${stem}.svg`, new Blob([svgText(made())], { type: "image/svg+xml" })));
  const asPng = saveButton("PNG", `Download ${title} as PNG`, () => savePng(`${stem}.png`, made()));
  return [asSvg, asPng];
}
