// From candidates to detections: non-maximum suppression in each class, as runtime/selection.py does it, in 64 bits.

// `candidates` are {boxes, scores, labels}, flat arrays, boxes relative xyxy. Gives {box, score, label}, the best first. A
// candidate is dropped if its IoU with a better one of its class is more than `maxOverlap`, or if `per_class` of its class
// are better; `top_k` are kept.
export function select({ boxes, scores, labels }, { maxOverlap, per_class: perClass, top_k: topK }) {
  const order = Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a]);
  const chosen = [];
  const seen = new Map(); // label -> its candidates so far
  for (const row of order) {
    const label = labels[row];
    const rank = seen.get(label) ?? 0;
    seen.set(label, rank + 1);
    if (perClass !== null && rank >= perClass) continue;
    const box = Array.from(boxes.subarray(4 * row, 4 * row + 4));
    if (chosen.some((better) => better.label === label && iou(better.box, box) > maxOverlap)) continue;
    chosen.push({ box, score: scores[row], label });
    if (chosen.length === topK) break;
  }
  return chosen;
}

function iou(a, b) {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  const shared = Math.max(width, 0) * Math.max(height, 0);
  return shared / Math.max(area(a) + area(b) - shared, Number.MIN_VALUE);
}

function area([left, top, right, bottom]) {
  return (right - left) * (bottom - top);
}
