# Copyright (c) 2026 restorable contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt)
# SPDX-License-Identifier: BSD-2-Clause
"""A server that is restored into, somebody's live server or a scratch one (ports.Target)."""
from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Callable, Iterable, Iterator, Mapping, Sequence

from ..errors import ConfigError, ToolFailed
from ..model.fingerprint import Fingerprint
from ..model.server import Database, Selection, Server
from ..model.toc import Toc
from ..ports import Relation, RestoreOptions
from .archive_reader import PgArchives
from .archives import Made, StagedArchive, staged
from .choosing import bring
from .connect import open_maintenance, quote_ident
from .databases import Databases, taken
from .fingerprint import take
from .flowing import flowing
from .globals import GlobalsFilter
from .integrity import check_integrity
from .inventory_globals import take_globals
from .loading import Loader
from .outline import outline
from .parameters import Connection
from .probe import ask_server
from .standing import dependents, standing
from .tuning import session_options


class PgTarget:
    """Restores into one server.

    stage is the folder for archives that must be read at will; place gives a new tablespace its folder, and
    without it tablespaces get the folders that they had; scratch says that the server is ours alone.
    """

    def __init__(self, connection: Connection, *, bin_dir: str = "", stage: str = "",
                 place: Callable[[str], str] | None = None, scratch: bool = False) -> None:
        self._bin_dir, self._stage, self._place, self._scratch = bin_dir, stage, place, scratch
        self._plain = connection
        self._facts: Server | None = None
        self._connection = connection
        if scratch:
            # a hostile setting of a restored role or database must not stop us, so it is overruled from the start
            self._connection = connection.with_options(session_options(self.server().version_num, superuser=True))
        self.databases = Databases(self._connection)

    @classmethod
    def to(cls, settings: Mapping[str, object], *, bin_dir: str = "", stage: str = "",
           environ: Mapping[str, str] | None = None) -> PgTarget:
        """Return the live server that is reached by settings in libpq's names."""
        return cls(Connection.of(settings, environ), bin_dir=bin_dir, stage=stage)

    def server(self) -> Server:
        """Return the server's facts; see ports.Target."""
        with open_maintenance(getattr(self, "_connection", self._plain)) as session:
            self._facts = ask_server(session)
        return self._facts

    def database_exists(self, name: str) -> bool:
        """See ports.Target."""
        return self.databases.exists(name)

    def user_objects(self, database: str) -> list[str]:
        """See ports.Target."""
        return self.databases.user_objects(database)

    def database_names(self) -> list[str]:
        """See ports.Target."""
        return self.databases.names()

    def standing(self, database: str, relations: Sequence[Relation]) -> list[str]:
        """See ports.Target."""
        with self.databases.open(database) as session:
            return standing(session, relations)

    def dependents(self, database: str, relations: Sequence[Relation], schemas: Sequence[str] = ()) -> list[str]:
        """See ports.Target."""
        with self.databases.open(database) as session:
            return dependents(session, relations, schemas)

    def sessions(self, database: str) -> list[str]:
        """See ports.Target."""
        return self.databases.sessions(database)

    def create_database(self, name: str, like: Database | None = None) -> None:
        """See ports.Target."""
        self.databases.create(name, like)

    def drop_database(self, name: str) -> None:
        """See ports.Target."""
        self.databases.drop(name)

    def rename_database(self, old: str, new: str) -> None:
        """See ports.Target."""
        self.databases.rename(old, new)

    def swap(self, fresh: str, name: str, aside: str, *, disconnect: bool) -> None:
        """See ports.Target."""
        self.databases.swap(fresh, name, aside, disconnect=disconnect)

    def ensure_roles(self, names: Sequence[str]) -> list[str]:
        """See ports.Target."""
        return self.databases.ensure_roles(names)

    def restore_globals(self, chunks: Iterable[bytes]) -> list[str]:
        """Run pg_dumpall's globals; roles and tablespaces that exist stay as they are. See ports.Target."""
        server = self.server()
        with self.databases.open(self._connection.maintenance_database) as session:
            roles = {str(row[0]) for row in session.execute("SELECT rolname::text FROM pg_roles").fetchall()}
        if self._scratch:
            roles -= {server.bootstrap_user}   # its password and settings are part of the backup
        rules = GlobalsFilter(server.bootstrap_user, roles, server.tablespaces, self._place, server.major)
        self._loader(self._connection.maintenance_database).script(
            self._connection.maintenance_database, rules(chunks), transaction=False)
        return rules.left_out

    def restore(self, database: str, chunks: Iterable[bytes], options: RestoreOptions) -> list[str]:
        """Restore one archive into an existing database; see ports.Target."""
        loader = self._loader(database)
        if options.format == "plain":
            if options.tables or options.schemas:
                raise ConfigError("tables or schemas are chosen of a plain dump, which has no table of contents",
                                  hint="Restore the whole database under another name and copy from there.",
                                  code="restore.plain_partial")
            loader.plain(database, chunks)
            return []
        partial = bool(options.tables or options.schemas)
        if options.format == "custom" and not partial and (options.jobs <= 1 or options.single_transaction):
            loader.stream(database, chunks, options)
            return []
        with self._opened(chunks, options, whole=not partial) as archive:
            if partial:
                return bring(self.databases, loader, database, archive, options)
            loader.whole(database, archive, options)
            return []

    def restore_whole(self, database: str, chunks: Iterable[bytes], options: RestoreOptions, *,
                      like: Database | None = None) -> list[str]:
        """Restore one archive with the database itself and its properties; see ports.Target."""
        if options.format == "plain":
            if self._make_room(database):
                self.databases.create(database, like)
            return self.restore(database, chunks, options)
        with self.staged(chunks, options) as archive:
            return self.restore_staged(database, archive, options, like=like)

    @contextmanager
    def staged(self, chunks: Iterable[bytes], options: RestoreOptions, *, database: str = "",
               like: Database | None = None) -> Iterator[StagedArchive]:
        """Give an archive that is both listed and restored, so that it is read from the store only once.

        Only a drill reads it all before it restores; a database of somebody's that fails half-way is dropped again.
        In a drill its database is made meanwhile, without data: thousands of tables take as long as the reading.
        """
        begin = None
        if database and self._scratch and options.jobs > 1:
            def begin(archive: StagedArchive) -> Made:
                made = self._make(database, archive, like)
                self._loader(database).without_data(database, archive)
                return made
        with self._opened(chunks, options, whole=self._scratch or options.jobs > 1, begin=begin) as archive:
            yield archive

    def _opened(self, chunks: Iterable[bytes], options: RestoreOptions, *, whole: bool,
                begin: Callable[[StagedArchive], Made] | None = None) -> AbstractContextManager[StagedArchive]:
        """Stage what is wanted whole, or must be read at will: by several jobs, or as its format is not one stream."""
        if whole or options.format != "custom":
            return staged(chunks, options.format, self._stage, self._bin_dir, begin)
        return flowing(chunks, self._stage, self._bin_dir)

    def restore_staged(self, database: str, archive: StagedArchive, options: RestoreOptions, *,
                       like: Database | None = None, beside: str = "") -> list[str]:
        """Restore a staged archive as restore_whole does; see ports.Target."""
        place = beside or database
        if archive.begun:
            made = archive.begun.result()
            self._loader(place).data(place, archive, options)
        else:
            made = self._make(database, archive, like, beside)
            if options.jobs <= 1:
                # with a table's creation and data in one transaction a server with wal_level minimal writes no WAL
                options = replace(options, single_transaction=True)
            self._loader(place).whole(place, archive, options)
        if beside:
            self._give_name(beside, database, made.properties, made.maintenance)
        elif made.described:
            self._loader(database).script(database, [made.properties], transaction=False)
        return [] if made.described else [_no_properties(archive.toc())]

    def _make(self, database: str, archive: StagedArchive, like: Database | None, beside: str = "") -> Made:
        """Make an archive's database, unless it is there: as the archive says, else like another one."""
        toc = archive.toc()
        described = bool(toc.of_kind("DATABASE")) and toc.database == database
        making, properties = self._loader("").database(archive, toc) if described else (b"", b"")
        maintenance = self._make_room(database)
        if maintenance and described:
            self._loader(maintenance).create(making, toc, maintenance)
            self._put_aside(database, beside)
        elif maintenance:
            self.databases.create(beside or database, like)
        return Made(described, properties, maintenance)

    def _put_aside(self, database: str, beside: str) -> None:
        """Rename a database that was just made, so that while it is half there it does not bear its name."""
        if not beside:
            return
        try:
            self.databases.rename(database, beside)
        except BaseException:
            self.databases.drop(database)
            raise

    def _give_name(self, beside: str, database: str, properties: bytes, maintenance: str) -> None:
        """Give a restored database its name and its properties in one transaction."""
        if not properties:
            self.databases.rename(beside, database)
            return
        named = f"ALTER DATABASE {quote_ident(beside)} RENAME TO {quote_ident(database)};\n"
        try:
            self._loader(maintenance).script(maintenance, [named.encode(), properties])
        except ToolFailed as error:
            raise taken(database) if "already exists" in error.message else error from error

    def restore_properties(self, database: str, archive: StagedArchive) -> list[str]:
        """See ports.Target."""
        toc = archive.toc()
        if not toc.of_kind("DATABASE") or toc.database != database:
            return [_no_properties(toc)]
        _making, properties = self._loader("").database(archive, toc)
        # the owner belongs to the making of a database, which is over here
        owner = f"ALTER DATABASE {quote_ident(database)} OWNER TO {quote_ident(toc.of_kind('DATABASE')[0].owner)};\n"
        self._loader(database).script(database, [owner.encode(), properties], transaction=False)
        return []

    def outline(self, chunks: Iterable[bytes], options: RestoreOptions) -> Toc:
        """See ports.Target."""
        return outline(chunks, options.format, stage=self._stage, bin_dir=self._bin_dir)

    def contents(self, chunks: Iterable[bytes], options: RestoreOptions) -> list[str]:
        """See ports.Target. On a scratch server the restore that follows reads every block of data anyway."""
        if self._scratch and options.format != "plain":
            with self.staged(chunks, options) as archive:
                return archive.lines()
        return PgArchives(self._bin_dir, self._stage).contents(chunks, options)

    def fingerprint(self, database: str, selection: Selection, level: str) -> Fingerprint:
        """See ports.Target."""
        with self.databases.open(database) as session:
            return take(session, selection, level)

    def globals_inventory(self) -> dict[str, str]:
        """See ports.Target."""
        with self.databases.open(self._connection.maintenance_database) as session:
            return take_globals(session)

    def integrity(self, database: str) -> list[tuple[str, str, str]]:
        """See ports.Target."""
        return check_integrity(lambda: self.databases.open(database), may_install=self._scratch)

    def query(self, database: str, sql: str) -> list[list[str | None]]:
        """Return a query's rows as text; see ports.Target."""
        return self.databases.query(database, sql)

    def environment(self, database: str) -> dict[str, str]:
        """Return PG* variables with which a user's command reaches the database; see ports.Target."""
        return self._plain.environment(database)

    def _make_room(self, database: str) -> str:
        """Return the database to be in while this one is created, or "" if it is there and stays.

        A new scratch server has databases postgres and template1; the backup's own take their place.
        """
        if not self.databases.exists(database):
            return self._connection.maintenance_database
        if not self._scratch:
            return ""
        self.databases.drop(database)
        return "template1" if database == "postgres" else "postgres"

    def _loader(self, database: str) -> Loader:
        facts = self._facts or self.server()
        connection = self._connection if self._scratch else self._undisturbed(database)
        return Loader(connection, facts.major, self._bin_dir, tablespaces=bool(self.server().tablespaces))

    def _undisturbed(self, database: str) -> Connection:
        """Return the connection with those settings overruled that the live database or role has bent.

        Only where that is needed: a connection pooler may refuse any option.
        """
        options = self.databases.bent(database) if database and self.databases.exists(database) else ""
        return self._connection.with_options(options)


def _no_properties(toc: Toc) -> str:
    return f"the properties of database {toc.database!r} (owner, grants, settings, comment) were not restored"
