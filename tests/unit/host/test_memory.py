# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One heap for all threads, and no complaint where there is no such setting."""
from __future__ import annotations

import ctypes
import threading

from _restorable.host.memory import one_heap


def test_threads_go_on_getting_memory():
    one_heap()
    sizes = []
    threads = [threading.Thread(target=lambda: sizes.append(len(bytes(2**20)))) for _index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sizes == [2**20] * 8


def test_a_c_library_without_the_setting_is_fine(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    assert one_heap() is None
