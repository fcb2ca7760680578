# Copyright (c) 2026 restorable contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a remote of rclone: what is taken, and what is refused with its path and value."""
from __future__ import annotations

import pytest

from _restorable.errors import ConfigError
from _restorable.model.repositories import RcloneRepository, repository, without_secrets


def read(**body):
    return repository("offsite", {"type": "rclone", **body})


def test_a_remote_and_its_options_are_read():
    found = read(remote="backup-host:postgres/shop", config_file="/etc/restorable/rclone.conf",
                 options={"bwlimit": "10M", "sftp-concurrency": 4, "sftp_disable_hashcheck": True},
                 secret_options={"sftp_pass": "s3cret"})
    assert found == RcloneRepository(
        "offsite", "backup-host:postgres/shop", "/etc/restorable/rclone.conf",
        {"bwlimit": "10M", "sftp-concurrency": "4", "sftp_disable_hashcheck": "true"}, {"sftp_pass": "s3cret"})
    assert "s3cret" not in repr(found)
    assert found.place == "backup-host:postgres/shop"


@pytest.mark.parametrize("remote", ["", "no-colon", ":sftp,host=x,pass=secret:/backups", "host,pass=secret:x",
                                    "host:a/../../etc", "host:a\nb", "/srv/backups"])
def test_what_is_no_remote_of_the_configuration_is_refused(remote):
    with pytest.raises(ConfigError) as caught:
        read(remote=remote)
    assert "repositories.offsite.remote" in caught.value.message
    assert "backup-host:postgres" in caught.value.hint


@pytest.mark.parametrize("options", [{"--bwlimit": "1M"}, {"bw limit": "1M"}, {"a": ["x"]}, {"a": None, "B": "x"}])
def test_what_is_no_option_is_refused(options):
    with pytest.raises(ConfigError, match=r"repositories\.offsite\.options"):
        read(remote="host:", options=options)


def test_secrets_stand_apart_from_what_ansible_shows():
    with pytest.raises(ConfigError, match="secret_options"):
        without_secrets({"offsite": {"type": "rclone", "secret_options": {"sftp_pass": "x"}}}, "repositories")
