// SPDX-License-Identifier: MIT
// ERC-20s as they are met in the world: plain, without answers, with a fee, answering false,
// burning gas.
pragma solidity 0.8.37;

contract PlainToken {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    function give(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    /// @dev As a wrapped token has it, but anyone may.
    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external {
        allowance[msg.sender][spender] = amount;
    }

    function transfer(address to, uint256 amount) external virtual returns (bool) {
        move(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount)
        external
        virtual
        returns (bool)
    {
        allowance[from][msg.sender] -= amount;
        move(from, to, amount);
        return true;
    }

    function move(address from, address to, uint256 amount) internal virtual {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @dev A hundredth stays with nobody.
contract FeeToken is PlainToken {
    function move(address from, address to, uint256 amount) internal override {
        balanceOf[from] -= amount;
        balanceOf[to] += amount - amount / 100;
    }
}

/// @dev Like Tether's: no answer at all.
contract SilentToken is PlainToken {
    function transfer(address to, uint256 amount) external override returns (bool) {
        move(msg.sender, to, amount);
        assembly {
            return(0, 0)
        }
    }

    function transferFrom(address from, address to, uint256 amount)
        external
        override
        returns (bool)
    {
        allowance[from][msg.sender] -= amount;
        move(from, to, amount);
        assembly {
            return(0, 0)
        }
    }
}

/// @dev Answers what it was told, and moves nothing.
contract LyingToken is PlainToken {
    bytes private answer;

    function lie(bytes memory words) external {
        answer = words;
    }

    function transfer(address, uint256) external view override returns (bool) {
        bytes memory words = answer;
        assembly {
            return(add(words, 32), mload(words))
        }
    }
}

/// @dev On the way in it calls back to its owner, who may try to enter Gateway again.
contract HookToken is PlainToken {
    function transferFrom(address from, address to, uint256 amount)
        external
        override
        returns (bool)
    {
        Hook(from).onSpend();
        allowance[from][msg.sender] -= amount;
        move(from, to, amount);
        return true;
    }
}

interface Hook {
    function onSpend() external;
}
