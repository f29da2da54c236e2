"""The click model's settings, light: the model itself, with torch, is in ``recsys.ctr.model``."""

from pydantic import Field

from recsys.config import Section


class CtrConfig(Section):
    """The network and how it is trained."""

    hidden: tuple[int, ...] = (64, 32)
    dropout: float = Field(0.1, ge=0, lt=1)
    learning_rate: float = Field(2e-3, gt=0)
    weight_decay: float = Field(1e-4, ge=0)
    batch_size: int = Field(1024, ge=1)
    epochs: int = Field(20, ge=1)
    patience: int = Field(3, ge=1)
    click_rate_share: float = Field(0.33, ge=0, lt=1)
    device: str = Field("auto", pattern="^(auto|cpu|cuda)$")
