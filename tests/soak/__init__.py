"""Many conversations, hundreds of swaps, and a count of every word: `./run soak`."""
