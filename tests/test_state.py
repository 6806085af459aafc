import torch

from ecgpipe import model, state

NETWORK = model.Params(width=4, stem_kernel=15, kernel=7, dropout=0.2, reduction=4, demographics=False)


def made(seed):
    torch.manual_seed(seed)
    network = model.SEResNet18(2, NETWORK)
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.01)
    return state.State(network, optimizer, torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 9))


def test_a_state_comes_back_whole_under_its_key_alone(tmp_path):
    one = made(1)
    one.network(torch.randn(4, 12, 200), torch.zeros(4, 4)).sum().backward()
    one.optimizer.step()
    one.schedule.step()
    one.epoch = 3
    one.history.append({"epoch": 3})
    one.keep(0.7)
    one.save(tmp_path / "state.pt", "key")
    other = made(2)
    assert not other.resume(tmp_path / "absent.pt", "key", torch.device("cpu"))
    assert not other.resume(tmp_path / "state.pt", "another", torch.device("cpu"))
    assert other.epoch == 0
    assert other.resume(tmp_path / "state.pt", "key", torch.device("cpu"))
    assert (other.epoch, other.best, other.best_epoch, other.history) == (3, 0.7, 3, [{"epoch": 3}])
    assert all(torch.equal(one.kept[name], value) for name, value in other.network.state_dict().items())
    assert other.schedule.state_dict() == one.schedule.state_dict()
    assert str(other.optimizer.state_dict()) == str(one.optimizer.state_dict())


def test_kept_weights_do_not_move_with_the_network():
    one = made(1)
    one.keep(0.5)
    before = one.kept["classifier.weight"].clone()
    with torch.no_grad():
        one.network.classifier.weight += 1
    assert torch.equal(one.kept["classifier.weight"], before)
