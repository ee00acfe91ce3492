// A brand makes two values of one shape two types, so that sats never meet wei without a word.

declare const brand: unique symbol;

/** `T` that only the checking constructor named after `Name` can make. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
