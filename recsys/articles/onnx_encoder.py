"""Pre-trained sentence encoder: a transformer in ONNX form, on the CPU, one text at a time.

Reads a folder as sentence encoders are published in: ``model.onnx`` (or ``onnx/model.onnx``, or the only ``.onnx``
file), ``tokenizer.json``, and, where they are there, ``1_Pooling/config.json`` (mean or first token) and
``sentence_bert_config.json`` (the longest text). One text at a time and on one thread: the night and the live path then
give the same bytes, and no text waits for the padding of a longer one.

Source: Reimers & Gurevych 2019, "Sentence-BERT" (mean pooling over the tokens that are there).
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

from recsys.errors import ConfigError, MissingArtefact
from recsys.workspace import read_json

DEFAULT_TOKENS = 256  # tokens of a text where the folder does not say: title and lead; time grows with them
_MOST_TOKENS = 512  # whatever the folder says
_INPUTS = {"input_ids", "attention_mask", "token_type_ids"}
_QUIET = 3  # log level of onnxruntime: errors alone
_SHAPES = (2, 3)  # dimensions of an output: sentences, or their tokens
_EXPORT = "Export the encoder for feature extraction, with its tokeniser."

Vector = npt.NDArray[np.float32]


class OnnxEncoder:
    """Encoder of texts by an ONNX model.

    Args:
        folder: of model and tokeniser.

    Raises:
        MissingArtefact: model or tokeniser is not there.
        ConfigError: they cannot be read, or the model wants inputs that no tokeniser gives.
    """

    def __init__(self, folder: Path) -> None:
        model, tokens = _model_file(folder), folder / "tokenizer.json"
        if not tokens.is_file():
            raise MissingArtefact(f"the tokeniser of the encoder, {tokens}", "no such file", _EXPORT)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = _QUIET
        try:
            self._tokenizer = Tokenizer.from_file(str(tokens))
            self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # both libraries raise bare exceptions of their own
            wanted = f"a model and a tokeniser that can be read in {folder}"
            raise ConfigError(wanted, f"{error!s:.200}", _EXPORT) from None
        self._inputs = [wanted.name for wanted in self._session.get_inputs()]
        if unknown := set(self._inputs) - _INPUTS:
            raise ConfigError(f"a model that reads {sorted(_INPUTS)}", f"one that wants {sorted(unknown)}", _EXPORT)
        outputs = [given.name for given in self._session.get_outputs()]
        self._output = "sentence_embedding" if "sentence_embedding" in outputs else outputs[0]
        self._first_token = bool(_settings(folder / "1_Pooling" / "config.json").get("pooling_mode_cls_token", False))
        longest = _settings(folder / "sentence_bert_config.json").get("max_seq_length") or DEFAULT_TOKENS
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(min(int(longest), _MOST_TOKENS))

    def encode(self, text: str) -> Vector:
        """The vector of one text, float32 (D,), of any length."""
        encoded = self._tokenizer.encode(text)
        given = {
            "input_ids": encoded.ids,
            "attention_mask": encoded.attention_mask,
            "token_type_ids": encoded.type_ids,
        }
        feed = {name: np.array([given[name]], np.int64) for name in self._inputs}
        out: npt.NDArray[Any] = self._session.run([self._output], feed)[0]
        if out.ndim not in _SHAPES:
            raise ValueError(f"vectors of sentences or tokens, not an output of shape {out.shape}")
        if out.ndim == _SHAPES[1]:
            out = out[:, 0] if self._first_token else out.mean(axis=1)  # no token is padding
        vector: Vector = out[0].astype(np.float32)
        return vector


def _model_file(folder: Path) -> Path:
    """The one model of a folder."""
    named = [file for file in (folder / "model.onnx", folder / "onnx" / "model.onnx") if file.is_file()]
    found = named or sorted(folder.rglob("*.onnx"))
    if not named and len(found) != 1:
        got = ", ".join(file.name for file in found) or "none"
        raise MissingArtefact(f"one ONNX model in {folder}, model.onnx where there are several", got, _EXPORT)
    return found[0]


def _settings(file: Path) -> dict[str, Any]:
    """A JSON file of the folder; empty where there is none."""
    settings: dict[str, Any] = read_json(file) if file.is_file() else {}
    return settings
