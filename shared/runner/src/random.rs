//! All randomness of one execution, drawn from one seed.

use std::sync::{Arc, Mutex, PoisonError};

/// A shared source of random numbers. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Random(Arc<Mutex<fastrand::Rng>>);

impl Random {
    /// The source of this seed.
    pub fn new(seed: u64) -> Random {
        Random(Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))))
    }

    fn with<R>(&self, draw: impl FnOnce(&mut fastrand::Rng) -> R) -> R {
        draw(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Uniform in [0, 1).
    pub fn fraction(&self) -> f64 {
        self.with(fastrand::Rng::f64)
    }

    /// Uniform in [from, to); `from` if that is empty.
    pub fn between(&self, from: i64, to: i64) -> i64 {
        if from < to { self.with(|rng| rng.i64(from..to)) } else { from }
    }

    /// A version 4 UUID.
    pub fn uuid(&self) -> String {
        let bits = self.with(|rng| rng.u128(..));
        let bits = (bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
        let hex = format!("{bits:032x}");
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

/// `java.util.Random(seed).nextDouble()`, which the service uses for seeded numbers.
pub fn java_fraction(seed: i64) -> f64 {
    const FACTOR: u64 = 0x5_DEEC_E66D;
    const MASK: u64 = (1 << 48) - 1;
    let mut state = (seed as u64 ^ FACTOR) & MASK;
    let mut next = |bits: u32| {
        state = (state.wrapping_mul(FACTOR).wrapping_add(0xB)) & MASK;
        state >> (48 - bits)
    };
    let (high, low) = (next(26), next(27));
    ((high << 27) + low) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeded_numbers_are_those_of_java() {
        assert_eq!(java_fraction(42), 0.727_563_680_032_868_1);
        assert_eq!(java_fraction(0), 0.730_967_787_376_657);
    }

    #[test]
    fn uuids_are_of_version_four() {
        let random = Random::new(3);
        let (first, second) = (random.uuid(), random.uuid());
        assert_ne!(first, second);
        assert_eq!((first.len(), &first[14..15]), (36, "4"));
        assert!(matches!(&first[19..20], "8" | "9" | "a" | "b"), "{first}");
    }
}
