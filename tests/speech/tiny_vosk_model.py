"""Writes a complete small Vosk model: real enough for the real library, grammar mode included, and trained in seconds.

The format is Kaldi's own text form (hmm/transition-model.cc, hmm/hmm-topology.cc, nnet3/nnet-nnet.cc); each word is one
"phone" with a few states, so that the graphs can be written by hand. Needs libfst-tools and flite.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tests.speech.tiny_acoustics import GARBAGE, MEL_BINS, SPLICE_OFFSETS, WORD_STATES, Network, train

WORDS = ("yes", "no", "message", "operator")

_SILENCE_PHONE = 1
_STAY, _GO = np.log(0.6), np.log(0.4)
_LOOKAHEAD = "olabel_lookahead"


def missing_tools() -> str | None:
    """Why no model can be built here; None where it can."""
    needed = [tool for tool in ("flite", "fstcompile", "fstarcsort", "fstconvert") if shutil.which(tool) is None]
    if needed:
        return f"needs {', '.join(needed)} (Debian: flite, libfst-tools)"
    return None if _lookahead_plugin() else "needs libfstlookahead (Debian: libfst22-plugins-base)"


def build(folder: Path, words: Sequence[str] = WORDS) -> Path:
    """Write the model into a new folder."""
    for part in ("am", "conf", "graph"):
        (folder / part).mkdir(parents=True)
    (folder / "am/final.mdl").write_text(_transition_model(words) + _network(train(words)))
    (folder / "conf/model.conf").write_text(
        "--beam=20\n--lattice-beam=8\n--max-active=1000\n--acoustic-scale=0.3\n--frame-subsampling-factor=1\n"
        f"--endpoint.silence-phones={_SILENCE_PHONE}\n"
    )
    (folder / "conf/fbank.conf").write_text(
        f"--sample-frequency=8000\n--num-mel-bins={MEL_BINS}\n--dither=0\n--low-freq=20\n--high-freq=0\n"
    )
    _write_graph(folder / "graph", [*words, GARBAGE])
    return folder


def _states(words: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Phone, state and pdf of every emitting state: silence, the words, and garbage with one pdf in all its states."""
    yield _SILENCE_PHONE, 0, 0
    for at in range(len(words) + 1):
        for state in range(WORD_STATES):
            yield at + 2, state, 1 + at * WORD_STATES + (state if at < len(words) else 0)


def _transition_model(words: Sequence[str]) -> str:
    states = list(_states(words))
    phones = " ".join(str(at + 2) for at in range(len(words) + 1))
    chain = _topology(phones, WORD_STATES)
    triples = "\n".join(f"{phone} {state} {pdf}" for phone, state, pdf in states)
    log_probabilities = " ".join(f"{_STAY:.6f} {_GO:.6f}" for _ in states)
    return (
        f"<TransitionModel>\n<Topology>\n{_topology(str(_SILENCE_PHONE), 1)}{chain}</Topology>\n"
        f"<Triples> {len(states)}\n{triples}\n</Triples>\n"
        f"<LogProbs>\n [ 0 {log_probabilities} ]\n</LogProbs>\n</TransitionModel>\n"
    )


def _topology(phones: str, states: int) -> str:
    rows = "".join(
        f"<State> {at} <PdfClass> {at} <Transition> {at} 0.6 <Transition> {at + 1} 0.4 </State>\n"
        for at in range(states)
    )
    return f"<TopologyEntry>\n<ForPhones>\n{phones}\n</ForPhones>\n{rows}<State> {states} </State>\n</TopologyEntry>\n"


def _network(network: Network) -> str:
    spliced = ", ".join(f"Offset(input, {offset})" if offset else "input" for offset in SPLICE_OFFSETS)
    hidden = len(network.first_bias)
    config = (
        f"input-node name=input dim={MEL_BINS}\n"
        f"component-node name=first component=first input=Append({spliced})\n"
        "component-node name=bend component=bend input=first\n"
        "component-node name=second component=second input=bend\n"
        "component-node name=answer component=answer input=second\n"
        "output-node name=output input=answer objective=linear\n"
    )
    return (
        f"<Nnet3> \n{config}\n<NumComponents> 4\n"
        f"<ComponentName> first {_affine(network.first, network.first_bias)}"
        f"<ComponentName> bend {_shape('RectifiedLinearComponent', hidden)}"
        f"<ComponentName> second {_affine(network.second, network.second_bias)}"
        f"<ComponentName> answer {_shape('LogSoftmaxComponent', len(network.second_bias))}"
        "</Nnet3> <LeftContext> 0 <RightContext> 0 <Priors> [ ]\n"
    )


def _affine(matrix: np.ndarray, bias: np.ndarray) -> str:
    rows = "\n".join(" ".join(f"{value:.5g}" for value in row) for row in matrix)
    offsets = " ".join(f"{value:.5g}" for value in bias)
    return f"<FixedAffineComponent> <LinearParams> [\n{rows} ]\n<BiasParams> [ {offsets} ]\n</FixedAffineComponent>\n"


def _shape(kind: str, width: int) -> str:
    return f"<{kind}> <Dim> {width} <ValueAvg> [ ]\n<DerivAvg> [ ]\n<Count> 0 </{kind}>\n"


def _write_graph(graph: Path, words: Sequence[str]) -> None:
    with TemporaryDirectory() as scratch:
        relabelled = _write_word_graph(graph / "HCLr.fst", len(words), Path(scratch))
    labels = {word: relabelled[at + 1] for at, word in enumerate(words)}
    (graph / "words.txt").write_text("".join(f"{word} {label}\n" for word, label in {"<eps>": 0, **labels}.items()))
    arcs = [f"0 0 {label} {label} {np.log(len(words)):.4f}" for label in sorted(labels.values())]
    _run_fst("fstcompile", "-", str(graph / "Gr.fst"), text="\n".join([*arcs, "0 0.7\n"]))
    (graph / "disambig_tid.int").write_text("")


def _write_word_graph(target: Path, words: int, scratch: Path) -> dict[int, int]:
    """HMMs and lexicon in one graph, for look-ahead composition; returns how it renumbered the words."""
    compiled, pairs = scratch / "HCL.fst", scratch / "pairs"
    _run_fst("fstcompile", "-", str(compiled), text="\n".join(_word_arcs(words)) + "\n")
    _run_fst("fstarcsort", "--sort_type=olabel", str(compiled), str(compiled))
    link = scratch / f"{_LOOKAHEAD}-fst.so"
    link.symlink_to(_lookahead_plugin() or "")
    _run_fst(
        "fstconvert",
        f"--fst_type={_LOOKAHEAD}",
        f"--save_relabel_opairs={pairs}",
        str(compiled),
        str(target),
        libraries=scratch,
    )
    return {int(old): int(new) for old, new in map(str.split, pairs.read_text().splitlines())}


def _word_arcs(words: int) -> Iterable[str]:
    """From one hub through every word's states back to it, consuming a transition-id a frame."""
    yield "0 1 0 0"
    yield from _chain(first_state=1, first_transition=1, states=1)
    for at in range(words):
        first_state = 2 + at * WORD_STATES
        yield f"0 {first_state} 0 {at + 1}"
        yield from _chain(first_state, 3 + 2 * at * WORD_STATES, WORD_STATES)
    yield "0 0"


def _chain(first_state: int, first_transition: int, states: int) -> Iterator[str]:
    for at in range(states):
        state, stay = first_state + at, first_transition + 2 * at
        following = state + 1 if at + 1 < states else 0
        yield f"{state} {state} {stay} 0 {-_STAY:.4f}"
        yield f"{state} {following} {stay + 1} 0 {-_GO:.4f}"


def _lookahead_plugin() -> Path | None:
    # Debian ships the plug-in without the name that OpenFst looks for.
    return next(iter(sorted(Path("/usr/lib").glob("*/libfstlookahead.so.*"))), None)


def _run_fst(tool: str, *arguments: str, text: str | None = None, libraries: Path | None = None) -> None:
    environment = {**os.environ, "LD_LIBRARY_PATH": str(libraries)} if libraries else None
    subprocess.run([tool, *arguments], input=text, text=True, check=True, capture_output=True, env=environment)
