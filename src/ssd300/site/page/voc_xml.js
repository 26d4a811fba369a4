// The text of a VOC annotation file with scores, as data/formats/voc_xml.py writes it.

const CONTROLS = /[\x00-\x1f\x7f]/g;
const NAMED = { "\t": "\\t", "\n": "\\n", "\r": "\\r" };

// `found` are detections as the API describes them; `width` and `height` are the image's.
export function toVocXml(image, { width, height }, found) {
  const rows = found.map(({ label, score, box: { xmin, ymin, xmax, ymax } }) => {
    const corners = { xmin: xmin + 1, ymin: ymin + 1, xmax, ymax }; // VOC counts pixels from 1, and the last one is included
    const box = Object.entries(corners).map(([tag, value]) => `<${tag}>${value}</${tag}>`).join("");
    return `  <object><name>${escape(label)}</name><difficult>0</difficult><score>${score}</score><bndbox>${box}</bndbox></object>\n`;
  });
  return `<annotation>\n  <filename>${escape(onOneLine(image))}</filename>\n`
    + `  <size><width>${width}</width><height>${height}</height><depth>3</depth></size>\n${rows.join("")}</annotation>\n`;
}

function escape(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

// Line breaks and other controls written out, as Python does.
function onOneLine(text) {
  return text.replace(CONTROLS, (one) => NAMED[one] ?? `\\x${one.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
