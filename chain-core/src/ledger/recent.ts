// A bounded memory of what was computed from a key alone: it only saves time.

export type RecentMap<Value> = {
  readonly get: (key: string) => Value | undefined;
  readonly set: (key: string, value: Value) => void;
  readonly delete: (key: string) => void;
};

/** Keeps between `sizeMax` / 2 and `sizeMax` of the newest entries, in two generations. */
export function recentMap<Value>(sizeMax: number): RecentMap<Value> {
  let young = new Map<string, Value>();
  let old = new Map<string, Value>();
  return {
    get: (key) => young.get(key) ?? old.get(key),
    set: (key, value) => {
      if (young.size * 2 >= sizeMax) {
        old = young;
        young = new Map();
      }
      young.set(key, value);
    },
    delete: (key) => {
      young.delete(key);
      old.delete(key);
    },
  };
}
