// The panel of the review: what the shown disagreement is, what can be decided, and how many are left.

import { choicesOf, shownCase } from "./disagreement.js";
import { canEdit } from "./editing.js";
import { byId, element } from "./elements.js";
import { state } from "./state.js";

export function drawReview({ isOn, info, isSettled }) {
  const { proposes } = state.project;
  byId("review-weights").textContent = info?.weights ?? "";
  byId("review-none").hidden = proposes;
  byId("review-intro").hidden = !proposes || Boolean(state.disagreement);
  byId("review-start").hidden = !proposes || isOn;
  byId("review-body").hidden = !isOn || !info;
  if (!isOn || !info) return;
  const total = info.open + info.looked_at;
  byId("review-bar").max = Math.max(total, 1);
  byId("review-bar").value = info.looked_at;
  byId("review-count").textContent = `${number(info.looked_at)} of ${number(total)} looked at`;
  byId("review-state").textContent = info.fault || words(info);
  byId("review-remark").textContent = info.remark && sentence(info.remark);
  drawKinds(info);
  drawCase(info, isSettled);
}

function words({ left, open, looked_at: lookedAt, cases }) {
  if (left > 0) {
    const rest = `${number(left)} ${left === 1 ? "image" : "images"} still to be looked at.`;
    return cases.length > 0 ? `${rest} Next begins with the worst so far.` : rest;
  }
  if (open === 0) return lookedAt > 0 ? "No disagreement is left." : "No disagreement was found.";
  return cases.length === 0 ? "No disagreement of this kind is left." : "";
}

function drawKinds({ kinds, open }) {
  const select = byId("review-kind");
  const rows = [["", `All kinds (${number(open)})`], ...kinds.map((one) => [one.kind, `${one.kind} (${number(one.open)})`])];
  if (select.options.length !== rows.length) {
    select.replaceChildren(...rows.map(([value]) => element("option", { value })));
  }
  rows.forEach(([, text], place) => (select.options[place].textContent = text));
}

function drawCase({ kinds, cases }, isSettled) {
  const one = shownCase();
  const isOpen = Boolean(one) && !isSettled;
  byId("review-case").hidden = !one;
  byId("review-detector").hidden = byId("review-label").hidden = !isOpen;
  byId("review-detector").disabled = !canEdit();
  byId("review-next").disabled = byId("review-previous").disabled = cases.length === 0 && !state.disagreement;
  byId("review-next").firstChild.textContent = state.disagreement && !one && !isSettled ? "Back to it " : "Next ";
  if (!one) return;
  byId("review-case").dataset.case = one.id;
  byId("review-name").textContent = one.kind;
  byId("review-suspicion").textContent = `suspicion ${one.suspicion.toFixed(2)}`;
  const { meaning } = kinds.find(({ kind }) => kind === one.kind);
  byId("review-meaning").textContent = isSettled ? "Settled: the labels were changed." : sentence(meaning);
  byId("review-words").textContent = one.words;
  byId("review-legend").replaceChildren(...[
    one.label && ["label", "label"], one.other_label && ["other", "second label"], one.detection && ["detector", "detector"],
  ].filter(Boolean).map(([look, text]) => element("li", { className: look }, [text])));
  const choices = choicesOf(one);
  byId("review-detector").firstChild.textContent = `${choices.detector} `;
  byId("review-label").firstChild.textContent = `${choices.label} `;
}

function sentence(text) {
  return `${text.split(". ").map((one) => `${one[0].toUpperCase()}${one.slice(1)}`).join(". ")}.`;
}

function number(count) {
  return count.toLocaleString("en");
}
