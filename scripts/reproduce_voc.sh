#!/usr/bin/env bash
# The paper's SSD300 on PASCAL VOC: download VOC2007, VOC2012 and VGG16, check, list, forecast, train, evaluate, and
# print the row beside the paper's. Type it again after a stop: it goes on where it was.
#
#   scripts/reproduce_voc.sh              into the folder voc; 2.8 GB to download, and a GPU is needed
#   VOCDEVKIT=/data/VOCdevkit scripts/reproduce_voc.sh      with a VOCdevkit that is there
#
# Variables, with their defaults:
#   ROOT=voc             the folder of all that is written
#   VOCDEVKIT=           a folder with VOC2007 and VOC2012; empty: VOC is downloaded to $ROOT
#   INIT=vgg16_features  the weights to start from; a name is downloaded, as are those of Caffe's VGG16
#   PRESET=paper         the schedule and the rules
#   SEED=0               the seed
#   OPTIONS=             further options of `ssd300 train`, such as "--workers 8"
#   EVAL_OPTIONS=        further options of `ssd300 eval`
#   SSD300=ssd300        the command
set -euo pipefail

ROOT=${ROOT:-voc}
VOCDEVKIT=${VOCDEVKIT:-}
INIT=${INIT:-vgg16_features}
PRESET=${PRESET:-paper}
SEED=${SEED:-0}
read -r -a OPTIONS <<<"${OPTIONS:-}"
read -r -a EVAL_OPTIONS <<<"${EVAL_OPTIONS:-}"
read -r -a SSD300 <<<"${SSD300:-ssd300}"
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
RUN=$ROOT/run

ssd300() {
    echo "+ ssd300 $*" >&2
    "${SSD300[@]}" "$@"
}

mkdir -p "$ROOT"

if [[ -z $VOCDEVKIT ]]; then
    VOCDEVKIT=$ROOT/VOCdevkit
    [[ -e $ROOT/downloaded ]] || ssd300 download voc --root "$ROOT"
    touch "$ROOT/downloaded"
fi
case $INIT in vgg16 | vgg16_features | coco) ssd300 download "$INIT" ;; esac

[[ -e $ROOT/check.txt ]] || { ssd300 check "$VOCDEVKIT" | tee "$ROOT/check.part" && mv "$ROOT/check.part" "$ROOT/check.txt"; }
[[ -e $ROOT/lists/data.json ]] || ssd300 prepare "$VOCDEVKIT" --out "$ROOT/lists" --overwrite

TRAINING=("$VOCDEVKIT" --out "$RUN" --preset "$PRESET" --init "$INIT" --seed "$SEED" ${OPTIONS[@]+"${OPTIONS[@]}"})
if [[ -e $RUN/state/last.pt ]]; then
    ssd300 train "${TRAINING[@]}" --resume
else
    ssd300 train "${TRAINING[@]}" --dry-run | tee "$ROOT/forecast.txt" # the time and memory on this machine
    ssd300 train "${TRAINING[@]}" --overwrite
fi

# The last weights, as the paper and Caffe do: the best ones would be chosen on the images that they are measured on.
ssd300 eval "$VOCDEVKIT" --weights "$RUN/weights/last.safetensors" --metric voc07 --json \
    ${EVAL_OPTIONS[@]+"${EVAL_OPTIONS[@]}"} >"$ROOT/eval.json"
python3 "$HERE/beside_the_paper.py" "$ROOT/eval.json" | tee "$ROOT/beside_the_paper.txt"
