// SPDX-License-Identifier: MIT
// BIP340 by the ecrecover precompile: ecrecover(-s px, 27, px, -e px) = address(s G - e P) =
// address(R), so one call does both multiplications (4.4 k gas), and signatures are the ones that
// Bitcoin knows.
pragma solidity 0.8.37;

library Bip340 {
    /// @dev Order of secp256k1.
    uint256 internal constant N =
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    /// @dev Its field's prime.
    uint256 internal constant P =
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F;
    /// @dev SHA-256("BIP0340/challenge").
    bytes32 private constant CHALLENGE =
        0x7bb52d7a9fef58323eb1bf7a407db382d2f3f2d81bb1224f49fe518f6d48d37c;

    /// @notice True iff (rx, s) is a BIP340 signature of the 32-byte `message` under `px`, which
    /// must be the x of a point (see isKey), and `ry` is the y of R.
    /// @dev The hint must be a root: with a free one, 2^80 hashes of (rx, ry) meet one of 2^80
    /// addresses of R (a birthday), and that is a forgery. Its parity is BIP340's even-y rule; s in
    /// [1, N) leaves one form of each signature; ecrecover answers zero to what it refuses.
    function verify(bytes32 px, bytes32 message, bytes32 rx, bytes32 ry, bytes32 s)
        internal
        view
        returns (bool)
    {
        uint256 x = uint256(px);
        uint256 scalar = uint256(s);
        if (x == 0 || x >= N || scalar == 0 || scalar >= N) return false;
        if (!_isEvenPoint(uint256(rx), uint256(ry))) return false;
        uint256 e = uint256(_challenge(rx, px, message)) % N;
        address r = ecrecover(
            bytes32(N - mulmod(scalar, x, N)), 27, px, bytes32(N - mulmod(e, x, N))
        );
        return r != address(0) && r == address(uint160(uint256(_hash(rx, ry))));
    }

    /// @dev y^2 = x^3 + 7 with both below the prime, and y even.
    function _isEvenPoint(uint256 x, uint256 y) private pure returns (bool) {
        if (x >= P || y >= P || y & 1 == 1) return false;
        return mulmod(y, y, P) == _square(x);
    }

    /// @dev x^3 + 7.
    function _square(uint256 x) private pure returns (uint256) {
        return addmod(mulmod(mulmod(x, x, P), x, P), 7, P);
    }

    /// @dev BIP340's tagged hash of rx || px || message, by the SHA-256 precompile.
    function _challenge(bytes32 rx, bytes32 px, bytes32 message)
        private
        view
        returns (bytes32 hash)
    {
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, CHALLENGE)
            mstore(add(data, 0x20), CHALLENGE)
            mstore(add(data, 0x40), rx)
            mstore(add(data, 0x60), px)
            mstore(add(data, 0x80), message)
            if iszero(staticcall(gas(), 2, data, 0xa0, 0, 0x20)) { revert(0, 0) }
            hash := mload(0)
        }
    }

    /// @dev keccak-256 of x || y, of which an address is the last 20 bytes.
    function _hash(bytes32 x, bytes32 y) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(0, x)
            mstore(0x20, y)
            hash := keccak256(0, 0x40)
        }
    }

    /// @notice True iff px is the x of a point and below the order, so that `verify` can ever
    /// accept.
    function isKey(bytes32 px) internal view returns (bool) {
        uint256 x = uint256(px);
        if (x == 0 || x >= N) return false;
        uint256 square = _square(x);
        // Euler's criterion by the modexp precompile (EIP-198).
        (bool ok, bytes memory root) =
            address(5).staticcall(abi.encode(32, 32, 32, square, (P - 1) / 2, P));
        return ok && root.length == 32 && uint256(bytes32(root)) == 1;
    }
}
