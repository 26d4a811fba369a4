// The splits of the data: what each has, and labeled images that no list names, which training on a split leaves out.

import { request } from "./api.js";
import { byId, element } from "./elements.js";
import { showError, showNote } from "./notices.js";
import { state } from "./state.js";

// The names of the splits that an image is in; null where the data is not split.
export function splitsOf(number) {
  const { splits } = state.project;
  return splits.length > 0 ? splits.filter((one) => one.images.includes(number)).map((one) => one.name) : null;
}

export function drawSplits() {
  const { splits, split_fault: fault } = state.project;
  const isSplit = splits.length > 0;
  byId("splits").hidden = !isSplit && !fault;
  byId("splits-fault").textContent = fault;
  const listed = new Set(splits.flatMap((one) => one.images));
  const others = isSplit ? state.lines.filter((line) => !listed.has(line.number)) : [];
  const rows = splits.map(({ name, images }) => [name, images.map((number) => state.lines[number])]);
  if (others.length > 0) rows.push(["in no split", others]);
  byId("data-splits").replaceChildren(...rows.map(([name, lines]) => element("div", {}, [
    element("dt", {}, [name]), element("dd", {}, [counts(lines)]),
  ])));
  drawUnlisted(others.filter((line) => line.state === "done").length);
}

// `redraw` is called after images were added to a list.
export function setUpSplits(redraw) {
  byId("unlisted-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const split = byId("unlisted-split").value;
    try {
      const answer = await (await request("v1/label/splits/add", {
        method: "POST", body: JSON.stringify({ split }), headers: { "Content-Type": "application/json" },
      })).json();
      state.project.splits = answer.splits;
      drawSplits();
      redraw();
      showNote(`${images(answer.images)} added to the list ${split}.`);
    } catch (error) {
      showError(error);
    }
  });
}

function drawUnlisted(count) {
  const lists = state.project.splits.filter((one) => one.can_add).map((one) => one.name);
  byId("unlisted").hidden = byId("data-mark").hidden = count === 0;
  byId("unlisted-form").hidden = lists.length === 0;
  byId("unlisted-words").textContent = `${images(count)} ${count === 1 ? "has labels and is" : "have labels and are"} in no list, so training on a split leaves ${count === 1 ? "it" : "them"} out.`;
  const select = byId("unlisted-split");
  if ([...select.options].map((one) => one.value).join() === lists.join()) return;
  select.replaceChildren(...lists.map((value) => element("option", { value, textContent: value })));
}

function counts(lines) {
  const objects = lines.reduce((sum, { classes }) => sum + Object.values(classes).reduce((all, one) => all + one, 0), 0);
  return `${images(lines.length)}, ${objects.toLocaleString("en")} ${objects === 1 ? "object" : "objects"}`;
}

function images(count) {
  return `${count.toLocaleString("en")} ${count === 1 ? "image" : "images"}`;
}
