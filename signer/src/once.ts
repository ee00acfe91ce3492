/** Makes a value when it is first asked for, and never again: for what many seats share and most steps do not need. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
