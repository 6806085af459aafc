import numpy as np
import pytest
import torch

from ecgpipe.training import checkpoint
from tests.fixtures.small_training import state_of


def test_a_state_comes_back_whole_under_its_key_alone(tmp_path):
    one = state_of(1)
    one.network(torch.randn(4, 12, 200), torch.zeros(4, 4)).sum().backward()
    one.optimizer.step()
    one.schedule.step()
    one.epoch = 3
    one.history.append({"epoch": 3})
    one.keep(0.7, 0.5, one.network)
    one.save(tmp_path / "state.pt", "key")
    other = state_of(2)
    assert not other.resume(tmp_path / "absent.pt", "key", torch.device("cpu"))
    assert not other.resume(tmp_path / "state.pt", "another", torch.device("cpu"))
    assert other.epoch == 0
    assert other.resume(tmp_path / "state.pt", "key", torch.device("cpu"))
    assert (other.epoch, other.best, other.best_epoch, other.history) == (3, 0.7, 3, [{"epoch": 3}])
    assert all(
        torch.equal(one.kept[name], value) for name, value in other.network.state_dict().items()
    )
    assert other.schedule.state_dict() == one.schedule.state_dict()
    assert str(other.optimizer.state_dict()) == str(one.optimizer.state_dict())


@pytest.mark.parametrize("name", ["classifier.weight", "running_var"])
def test_a_weight_or_a_running_statistic_that_is_not_finite_is_named(name):
    one = state_of(1)
    assert one.unsound() is None
    whole = next(key for key in one.network.state_dict() if key.endswith(name))
    one.network.state_dict()[whole].view(-1)[-1] = torch.nan
    assert one.unsound() == whole


def test_of_two_epochs_that_score_alike_the_one_of_lower_loss_is_better():
    one = state_of(1)
    assert one.is_best(-5.0, 9.0), "the first is, whatever it scores"
    one.keep(0.5, 0.3, one.network)
    better = [one.is_best(0.6, 9.0), one.is_best(0.5, 0.2), one.is_best(0.5, 0.3)]
    assert [*better, one.is_best(0.4, 0.1)] == [True, True, False, False]


def test_kept_weights_do_not_move_with_the_network():
    one = state_of(1)
    one.keep(0.5, 0.5, one.network)
    before = one.kept["classifier.weight"].clone()
    with torch.no_grad():
        one.network.classifier.weight += 1
    assert torch.equal(one.kept["classifier.weight"], before)


def test_a_state_in_the_midst_of_an_epoch_goes_on_with_its_losses_and_draws(tmp_path):
    one, other = state_of(1), state_of(2)
    assert not one.continue_draws()
    torch.manual_seed(7)
    torch.rand(5)
    one.pause(torch.tensor([0.5, 0.25]))
    expected = torch.rand(3)
    one.save(tmp_path / "state.pt", "key")
    other.resume(tmp_path / "state.pt", "key", torch.device("cpu"))
    torch.manual_seed(1)
    assert other.continue_draws()
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(torch.stack(other.losses), torch.tensor([0.5, 0.25]))
    other.next_epoch()
    assert (other.epoch, other.losses, other.continue_draws()) == (1, [], False)


def test_a_flipped_bit_or_a_cut_is_refused_by_name(tmp_path):
    path = tmp_path / "state.pt"
    state_of(1).save(path, "key")
    whole, rng = path.read_bytes(), np.random.default_rng(1)
    broken = [whole[:length] for length in (0, 1, 64, 65, 66, len(whole) // 2, len(whole) - 1)]
    for place in [0, 63, 64, 65, len(whole) - 1, *rng.integers(len(whole), size=20)]:
        changed = bytearray(whole)
        changed[place] ^= 1 << int(rng.integers(8))
        broken.append(bytes(changed))
    for content in broken:
        path.write_bytes(content)
        with pytest.raises(
            ValueError, match=r"state\.pt: damaged or changed.*remove it to train anew"
        ):
            state_of(1).resume(path, "key", torch.device("cpu"))


def test_a_fingerprint_changes_with_what_it_is_made_of():
    assert checkpoint.fingerprint("0", {"a": 1, "b": 2}) == checkpoint.fingerprint(
        "0", {"b": 2, "a": 1}
    )
    assert (
        len(
            {
                checkpoint.fingerprint("0", {"a": 1}),
                checkpoint.fingerprint("0", {"a": 2}),
                checkpoint.fingerprint("1", {"a": 1}),
            }
        )
        == 3
    )


def test_a_fingerprint_changes_with_torch(monkeypatch):
    before = checkpoint.fingerprint("0")
    monkeypatch.setattr(torch, "__version__", "0.1")
    assert checkpoint.fingerprint("0") != before
