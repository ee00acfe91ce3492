// The Store port on LevelDB. LevelDB loses and hides data in silence when its files rot (building-blocks
// 4), so it never creates a database but on request, and the owner of the data checks it at open.
import { Level } from "level";
import { diskAdvice, Failure } from "../failure.ts";
import type { Store } from "../ports.ts";

export type LevelStoreOptions = {
  /** Make a new database; only `init` does that, for a lost CURRENT would otherwise open as an empty one. */
  readonly create: boolean;
  /** Throws a Failure when the content is not what its owner last wrote (a state root, a count). */
  readonly check?: (store: Store) => Promise<void>;
  /** Read cache, bytes. */
  readonly cacheSize?: number;
  /** False for what is mostly hashes: reads take a third less, tables 40 % more room. By default true, by Snappy. */
  readonly compression?: boolean;
  /** What the operator does about a lost or broken database: the end of those sentences. */
  readonly advice?: string;
};

const binary = { keyEncoding: "view", valueEncoding: "view" } as const;

/**
 * Throws Failure: "missing" (no database and not `create`), "locked" (another process), "store-broken"
 * (LevelDB reports corruption), "disk", or what `check` throws.
 */
export async function openLevelStore(folder: string, options: LevelStoreOptions): Promise<Store> {
  const fail = (what: string, cause: unknown): Failure => failure(what, cause, options.advice);
  const db = new Level<Uint8Array, Uint8Array>(folder, {
    ...binary,
    createIfMissing: options.create,
    errorIfExists: options.create,
    ...(options.cacheSize === undefined ? {} : { cacheSize: options.cacheSize }),
    ...(options.compression === undefined ? {} : { compression: options.compression }),
  });
  try {
    await db.open();
  } catch (cause) {
    throw openFailure(folder, cause, fail);
  }
  const store = storeOf(db, folder, fail);
  try {
    await options.check?.(store);
  } catch (cause) {
    await db.close();
    throw cause;
  }
  return store;
}

type Fail = (what: string, cause: unknown) => Failure;

function storeOf(db: Level<Uint8Array, Uint8Array>, folder: string, fail: Fail): Store {
  return {
    get: (key) => {
      try {
        return db.getSync(key, binary);
      } catch (cause) {
        throw fail(`cannot read ${folder}`, cause);
      }
    },
    write: async (puts) => {
      const operations = puts.map(({ key, value }) =>
        value === undefined
          ? ({ type: "del", key } as const)
          : ({ type: "put", key, value } as const),
      );
      try {
        await db.batch(operations, { ...binary, sync: true });
      } catch (cause) {
        throw fail(`cannot write ${folder}`, cause);
      }
    },
    scan: (from, to) => db.iterator({ ...binary, gte: from, lt: to }),
    close: () => db.close(),
  };
}

function openFailure(folder: string, cause: unknown, fail: Fail): Failure {
  const { code, message } = reasonOf(cause);
  if (code === "LEVEL_LOCKED")
    return new Failure("locked", `${folder} is in use by another process`, { cause });
  if (/exists \(error_if_exists/.test(message))
    return new Failure("exists", `${folder} already holds a database`, { cause });
  return fail(`cannot open ${folder}`, cause);
}

/** What LevelDB acknowledged before is on the disk, whatever failed now (building-blocks 4). */
function failure(what: string, cause: unknown, advice: string | undefined): Failure {
  const { code, message } = reasonOf(cause);
  const end = advice === undefined ? "" : `; ${advice}`;
  if (/does not exist/.test(message))
    return new Failure("missing", `${what}: ${message}${end}`, { cause });
  // The last two: a file is gone, or shorter than a table's index says.
  const broken = /orruption|No such file or directory$|Invalid argument$/;
  if (code === "LEVEL_CORRUPTION" || broken.test(message))
    return new Failure("store-broken", `${what}: ${message}${end}`, { cause });
  return new Failure("disk", `${what}: ${message}; ${diskAdvice}`, { cause });
}

function reasonOf(cause: unknown): { readonly code?: string; readonly message: string } {
  const outer = cause as {
    code?: string;
    message: string;
    cause?: { code?: string; message: string };
  };
  return outer.cause ?? outer;
}
