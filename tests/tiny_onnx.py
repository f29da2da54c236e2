"""A sentence encoder of a few kilobytes, in the form in which real ones are published: ONNX beside a tokeniser.

Its vector of a text is the mean of its words' vectors, which the test gives: what it must answer can be told by hand.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

UNKNOWN = "[UNK]"


def write_encoder(
    folder: Path, vectors: Mapping[str, npt.ArrayLike], *, inputs: tuple[str, ...] = ("input_ids", "attention_mask")
) -> Path:
    """Write a folder with an encoder whose tokens have these vectors; others have that of ``UNKNOWN``, or zeros."""
    folder.mkdir(parents=True, exist_ok=True)
    words = [UNKNOWN, *(word for word in vectors if word != UNKNOWN)]
    D = len(np.asarray(next(iter(vectors.values()))))
    table = np.array([vectors.get(word, np.zeros(D)) for word in words], np.float32)
    ids = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"]) for name in inputs]
    out = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "tokens", D])
    look_up = helper.make_node("Gather", ["table", inputs[0]], ["last_hidden_state"])
    graph = helper.make_graph([look_up], "tiny", ids, [out], [numpy_helper.from_array(table, "table")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(model, str(folder / "model.onnx"))
    tokenizer = Tokenizer(models.WordLevel({word: row for row, word in enumerate(words)}, UNKNOWN))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def pooled_by_first_token(folder: Path) -> None:
    """Let the folder say that the first token's vector is the text's."""
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
