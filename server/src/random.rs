//! Randomness from the operating system, as text.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `chars` letters and digits, close to 6 bits each.
pub(crate) fn random_text(chars: usize) -> String {
    let mut bytes = vec![0; chars];
    getrandom::fill(&mut bytes).expect("the operating system gives random numbers");
    // 256 is no multiple of 62: the first 8 letters come a little more often, which costs less than 0.1 bit each.
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect()
}

/// Any number, which nobody can guess.
pub(crate) fn random_number() -> u32 {
    getrandom::u32().expect("the operating system gives random numbers")
}
