"""The stores that bench/memory.py compares with. Each has `search(queries)`: ids, 10 to a query.

FAISS and USearch hold vectors in memory; LanceDB and sqlite-vec keep them on disk, in `folder`.
All score by inner product or, sqlite-vec, by cosine or Euclidean distance, as the data wants it.
"""

import time

import apsw
import faiss
import lancedb
import numpy as np
import pyarrow as pa
import sqlite_vec
from usearch.index import Index, MetricKind, search as usearch_search

TOP_K = 10


class FaissFlat:
    name = "faiss-cpu Flat"

    def __init__(self, base, metric, num_threads, folder):
        faiss.omp_set_num_threads(num_threads)
        kind = faiss.IndexFlatL2 if metric == "l2" else faiss.IndexFlatIP
        self.index = kind(base.shape[1])
        self.index.add(base)

    def search(self, queries):
        return self.index.search(queries, TOP_K)[1]


class UsearchExact:
    name = "usearch exact"

    def __init__(self, base, metric, num_threads, folder):
        self.base, self.num_threads = base, num_threads
        self.metric = MetricKind.L2sq if metric == "l2" else MetricKind.IP

    def search(self, queries):
        return usearch_search(self.base, queries, TOP_K, self.metric, exact=True,
                              threads=self.num_threads).keys.reshape(len(queries), -1)


class UsearchHnsw:
    name = "usearch HNSW"

    def __init__(self, base, metric, num_threads, file, dtype="f32"):
        """`file` keeps the index, as our stores are kept; a folder keeps nothing."""
        kind = "l2sq" if metric == "l2" else "ip"
        self.index = Index(ndim=base.shape[1], metric=kind, dtype=dtype, connectivity=16,
                           expansion_add=128, expansion_search=64)
        self.num_threads = num_threads
        if file.is_file():
            self.index.load(str(file))
            return
        self.index.add(np.arange(len(base)), base, threads=num_threads)
        if not file.is_dir():
            self.index.save(str(file))

    def search(self, queries):
        return self.index.search(queries, TOP_K, threads=self.num_threads).keys.reshape(
            len(queries), -1)


class LanceDb:
    name = "lancedb"

    def __init__(self, base, metric, num_threads, folder):
        self.metric = metric
        self.table = lancedb.connect(folder / "lance").create_table(
            "vectors", lance_rows(range(len(base)), base), mode="overwrite")

    def search(self, queries):
        return np.array([self.table.search(query).distance_type(self.metric).select(["id"])
                         .limit(TOP_K).to_arrow()["id"].to_numpy() for query in queries])


class SqliteVec:
    name = "sqlite-vec"

    def __init__(self, base, metric, num_threads, folder):
        self.connection = open_sqlite_vec(folder / "vec.sqlite", base.shape[1], metric)
        with self.connection:
            self.connection.executemany("INSERT INTO vectors(rowid, embedding) VALUES(?, ?)",
                                        ((i, row.tobytes()) for i, row in enumerate(base)))

    def search(self, queries):
        return np.array([[row[0] for row in self.connection.execute(
            "SELECT rowid FROM vectors WHERE embedding MATCH ? AND k = ? ORDER BY distance",
            (query.tobytes(), TOP_K))] for query in queries])


def lance_rows(ids, vectors, texts=None):
    columns = {"id": pa.array(ids, pa.int64()),
               "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)),
                                                           vectors.shape[1])}
    return pa.table(columns if texts is None else {**columns, "text": pa.array(texts)})


def open_sqlite_vec(path, dimension, metric):
    path.unlink(missing_ok=True)
    connection = apsw.Connection(str(path))  # Python's own module may refuse extensions
    connection.enable_load_extension(True)
    connection.load_extension(sqlite_vec.loadable_path())
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"CREATE VIRTUAL TABLE vectors USING vec0(embedding float[{dimension}] "
                       f"distance_metric={'l2' if metric == 'l2' else 'cosine'})")
    connection.execute("CREATE VIRTUAL TABLE texts USING fts5(content)")
    return connection


def ingest_lance(folder, batches, text_index=True):
    """Rows/s; a batch is one commit, which LanceDB does not fsync. The full-text index, if any, is
    brought up to date once, at the end."""
    database = lancedb.connect(folder / "lance-ingest")
    table, rows, start = None, 0, time.perf_counter()
    for ids, vectors, texts in batches:
        batch = lance_rows(ids, vectors, texts)
        if table is None:
            table = database.create_table("vectors", batch, mode="overwrite")
            if text_index:
                table.create_fts_index("text")
        else:
            table.add(batch)
        rows += len(ids)
    table.optimize()
    return rows / (time.perf_counter() - start)


def ingest_sqlite_vec(folder, batches, dimension, metadata=True, text_index=True):
    """Rows/s; a batch is one commit, fsynced. With an FTS5 index or the texts in a plain table;
    with `metadata` also a table of what our memories have besides, unique by id, indexed by time
    and category."""
    connection = open_sqlite_vec(folder / "vec-ingest.sqlite", dimension, "cosine")
    if not text_index:
        connection.execute("DROP TABLE texts; CREATE TABLE texts(rowid INTEGER PRIMARY KEY, "
                           "content TEXT)")
    if metadata:
        connection.execute("""
            CREATE TABLE memory(sequence INTEGER PRIMARY KEY, memory_id TEXT UNIQUE, timestamp,
                                expires_at, category TEXT, source TEXT, quality_score, extra TEXT);
            CREATE INDEX by_time ON memory(timestamp);
            CREATE INDEX by_category ON memory(category)""")
    rows, start = 0, time.perf_counter()
    for ids, vectors, texts in batches:
        with connection:
            if metadata:
                now = time.time_ns() // 1000
                connection.executemany(
                    "INSERT INTO memory VALUES(?, ?, ?, NULL, ?, ?, 0, '{}')",
                    ((i, str(i), now, f"c{i % 10}", str(i)) for i in ids))
            connection.executemany("INSERT INTO vectors(rowid, embedding) VALUES(?, ?)",
                                   ((i, row.tobytes()) for i, row in zip(ids, vectors)))
            connection.executemany("INSERT INTO texts(rowid, content) VALUES(?, ?)",
                                   zip(ids, texts))
        rows += len(ids)
    connection.close()
    return rows / (time.perf_counter() - start)


SEARCH_PEERS = (FaissFlat, UsearchExact, UsearchHnsw, LanceDb, SqliteVec)
