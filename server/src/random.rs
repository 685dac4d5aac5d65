//! Random text and numbers from the operating system.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Returns `chars` random letters and digits, with almost 6 bits of entropy each.
pub(crate) fn random_text(chars: usize) -> String {
    let mut bytes = vec![0; chars];
    getrandom::fill(&mut bytes).expect("the operating system gives random numbers");
    // 256 is not a multiple of 62: 8 of the characters are a little more frequent, which costs less than 0.1 bit each.
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect()
}

/// Returns an unpredictable number.
pub(crate) fn random_number() -> u32 {
    getrandom::u32().expect("the operating system gives random numbers")
}
