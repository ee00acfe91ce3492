declare module "secp256k1/bindings.js" {
  const addon: {
    contextRandomize(seed: Uint8Array | null): void;
    privateKeyVerify(key: Uint8Array): boolean;
    publicKeyVerify(key: Uint8Array): boolean;
    publicKeyCreate(key: Uint8Array, compressed?: boolean): Uint8Array;
    publicKeyConvert(key: Uint8Array, compressed?: boolean): Uint8Array;
    publicKeyNegate(key: Uint8Array, compressed?: boolean): Uint8Array;
    publicKeyCombine(keys: readonly Uint8Array[], compressed?: boolean): Uint8Array;
    publicKeyTweakAdd(key: Uint8Array, tweak: Uint8Array, compressed?: boolean): Uint8Array;
    publicKeyTweakMul(key: Uint8Array, tweak: Uint8Array, compressed?: boolean): Uint8Array;
    ecdsaSign(digest: Uint8Array, key: Uint8Array): { signature: Uint8Array; recid: number };
    ecdsaVerify(signature: Uint8Array, digest: Uint8Array, key: Uint8Array): boolean;
    ecdsaRecover(
      signature: Uint8Array,
      recid: number,
      digest: Uint8Array,
      compressed?: boolean,
    ): Uint8Array;
    ecdh(
      publicKey: Uint8Array,
      key: Uint8Array,
      options?: { hashfn?: (x: Uint8Array, y: Uint8Array, data: Uint8Array) => Uint8Array },
      output?: Uint8Array,
    ): Uint8Array;
  };
  export default addon;
}
