"""The shared page of epochs."""

from pathlib import Path

from holdfast.store.epochs import SLOTS, Epochs

BLOCK_BYTES = 512


def test_a_bump_is_seen_by_all_who_share_the_page(tmp_path: Path) -> None:
    one, other = Epochs(tmp_path / "epochs"), Epochs(tmp_path / "epochs")
    slot = Epochs.slot("shop", "product")
    before = other.read(slot)
    one.bump(slot)
    assert other.read(slot) == one.read(slot) != before


def test_its_room_is_taken_at_the_start_and_not_when_the_disk_may_be_full(tmp_path: Path) -> None:
    Epochs(tmp_path / "epochs")
    assert (tmp_path / "epochs").stat().st_blocks * BLOCK_BYTES >= SLOTS * 8


def test_who_starts_outdates_what_others_kept(tmp_path: Path) -> None:
    one = Epochs(tmp_path / "epochs")
    before = [one.read(slot) for slot in range(SLOTS)]
    Epochs(tmp_path / "epochs")
    assert all(one.read(slot) != before[slot] for slot in range(SLOTS))
