"""Settings of article vectors."""

from typing import Annotated, Literal

from pydantic import Field

from recsys.config import Section

ClassName = Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]  # module:Class


class ArticlesConfig(Section):
    """Settings of article vectors."""

    encoder: Literal["keywords", "idf-mean", "doc2vec", "onnx"] | ClassName = Field(
        "keywords",
        description=(
            "keywords | idf-mean | doc2vec | onnx | module:Class: mean of the top keywords' vectors, of all words' by "
            "rarity, the text's own (with words.model pv-dm or pv-dbow), or by the pre-trained encoder in the folder "
            "encoder of data_dir, which onnxruntime or a class of the site's reads"
        ),
    )

    @property
    def pretrained(self) -> bool:
        """True for an encoder that reads texts and no word vectors."""
        return self.encoder == "onnx" or ":" in self.encoder
