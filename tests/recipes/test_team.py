"""Two processes that train together end where one with all the data ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

TRAINING = """
import sys
from pathlib import Path
import torch
from recipes.loop import Fit, Run
from recipes.team import Team

out = Path(sys.argv[1])
team = Team()
torch.manual_seed(0)
# Channels-last kernels are where gradients laid out another way would show.
model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Flatten(), torch.nn.Linear(16, 2))
model = model.to(memory_format=torch.channels_last)
run = Run(out, 10.0, team=team)
fit = Fit(model, torch.optim.SGD(model.parameters()), run, rate=0.1, decay=0.9)
run.done = 0.5
before = model[0].weight.detach().clone()
for _ in range(5):
    batch = torch.randn(8, 3, 4, 4)[team.rank :: team.size]
    fit.step(model(batch).square().mean())
assert not torch.allclose(model[0].weight, before)
if team.leads:
    torch.save(model.state_dict(), out / f"of-{team.size}.pt")
print(f"{team.agree(float(team.rank))}\\n", end="")
team.part()
"""


def trained(tmp_path: Path, *launcher: str) -> dict[str, torch.Tensor]:
    program = tmp_path / "training.py"
    program.write_text(TRAINING)
    ran = subprocess.run(
        [sys.executable, *launcher, str(program), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "", "OMP_NUM_THREADS": "1"},
    )
    assert ran.returncode == 0, ran.stderr
    processes = 2 if launcher else 1
    assert ran.stdout.split() == ["0.0"] * processes, "all go by the leader's clock"
    state: dict[str, torch.Tensor] = torch.load(tmp_path / f"of-{processes}.pt", weights_only=True)
    return state


@pytest.mark.slow
def test_two_processes_step_along_the_mean_gradient(tmp_path: Path) -> None:
    alone = trained(tmp_path)
    together = trained(tmp_path, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone")
    for name, value in alone.items():
        assert torch.allclose(together[name], value, atol=1e-6), name
