"""What makes a small encoder tell pictures apart as its teacher does: a matrix for its pooled features, in the file.

Called by `flows.training.encoder` when the student has learned. One layer of a narrow network holds less than all of
them together, and matching reads them for nothing: they are computed on the way.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from colorize.encoders.vgg19 import Encoder
from colorize.training.dataset import in_parts, to_batch
from colorize.training.teacher import Look, cells_of

EMBEDDED_LAYERS = ("conv3_4", "conv4_2", "conv4_4", "conv5_1", "conv5_2", "conv5_3", "conv5_4")
RANK = 96
"""Numbers kept of a cell: the directions in which the teacher's cells, as they are foretold, vary most."""
_RIDGE = 0.3
"""Over the mean variance of a feature: there are far fewer pictures than features."""


@torch.no_grad()
def fit_embedding(encoder: Encoder, looks: Sequence[Look]) -> dict[str, Tensor]:
    """Matrices (N, RANK) by layer: Σ cells · matrix has the cosines of the teacher's cells, as well as ridge regression
    foretells them.

    Args:
        encoder: the student, calibrated.
        looks: gray pictures and the teacher's cells of them.
    """
    ours = torch.cat([_cells(encoder, look) for look in looks]).double()
    theirs = torch.cat([look.cells.flatten(0, 1) for look in looks]).double()
    centred, wanted = ours - ours.mean(0), theirs - theirs.mean(0)
    spread = centred.std(0).clamp_min(1e-9)
    features = centred / spread
    moments = features.T @ features
    moments.diagonal().add_(_RIDGE * float(moments.diagonal().mean()))
    heads = torch.linalg.solve(moments, features.T @ wanted)
    _, _, directions = torch.linalg.svd(features @ heads, full_matrices=False)
    matrix = heads @ directions[:RANK].T / spread[:, None]
    widths = [len(encoder.convolutions[name][1]) for name in EMBEDDED_LAYERS]
    scaled = (matrix / matrix.abs().max()).float()  # cosines know no scale, and half precision must hold it
    return dict(zip(EMBEDDED_LAYERS, scaled.split(widths), strict=True))


def _cells(encoder: Encoder, look: Look) -> Tensor:
    """(pictures · cells, Σ N)."""
    parts = [encoder.features(part, EMBEDDED_LAYERS) for part in in_parts(to_batch(look.pixels))]
    return torch.cat([torch.cat([cells_of(part[name]) for name in EMBEDDED_LAYERS], 2) for part in parts]).flatten(0, 1)
