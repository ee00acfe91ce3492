// State as flat keys behind get and put. Pure code sees only this; the node backs it with LevelDB, the
// simulator with a Map. There is no iteration: what must be listed is a record of its own.
import type { Codec, Put } from "@causeway/primitives";
import { bigEndian, concat } from "@causeway/primitives";

/** First byte of every key: the module that owns it. Modules from 2 on are provable (CON-8). */
export const modules = {
  utxo: 1,
  interchain: 2,
  ring: 3,
  staking: 4,
  beacon: 5,
  system: 6,
} as const;

export type StateReader = { readonly get: (key: Uint8Array) => Uint8Array | undefined };
export type State = StateReader & {
  /** `isNew`: the caller knows that there was never a record under this key. */
  readonly put: (key: Uint8Array, value: Uint8Array, isNew?: boolean) => void;
  readonly delete: (key: Uint8Array) => void;
};

/** What a block does to one record; `before` is absent where nobody looked, undefined where there was none. */
export type Change = Put & { readonly before?: Uint8Array | undefined };

/** A typed family of records under one two-byte prefix (module, table number). */
export type Table<Key, Value> = {
  readonly key: (key: Key) => Uint8Array;
  readonly codec: Codec<Value>;
  readonly get: (state: StateReader, key: Key) => Value | undefined;
  readonly put: (state: State, key: Key, value: Value, isNew?: boolean) => void;
  readonly delete: (state: State, key: Key) => void;
};

/** `encodeKey` gives bytes that are unique in the table; `number` is unique in the module and final. */
export function table<Key, Value>(
  module: number,
  number: number,
  encodeKey: (key: Key) => Uint8Array,
  valueCodec: Codec<Value>,
): Table<Key, Value> {
  const prefix = Uint8Array.of(module, number);
  const isSingle = (encodeKey as unknown) === single;
  const key = (of: Key): Uint8Array => (isSingle ? prefix : concat(prefix, encodeKey(of)));
  return {
    key,
    codec: valueCodec,
    get: (state, of) => {
      const bytes = state.get(key(of));
      return bytes === undefined ? undefined : valueCodec.decode(bytes);
    },
    put: (state, of, value, isNew) => state.put(key(of), valueCodec.encode(value), isNew),
    delete: (state, of) => state.delete(key(of)),
  };
}

// The usual key shapes.
export const byBytes = (key: Uint8Array): Uint8Array => key;
export const byNumber = (key: number): Uint8Array => bigEndian(key, 8);
export const single = (_: "only"): Uint8Array => new Uint8Array(0);
