//! The few distributions that tests and intervals ask for, on the special functions of `statrs`.

use statrs::function::beta::beta_reg;
use statrs::function::erf::{erfc, erfc_inv};

/// The probability of at most `successes` among `trials` that each succeed by half.
pub(crate) fn fair_binomial_cdf(successes: u64, trials: u64) -> f64 {
    if successes >= trials {
        return 1.0;
    }
    beta_reg((trials - successes) as f64, successes as f64 + 1.0, 0.5)
}

/// The probability that the square of a standard normal variable is above `statistic`: chi-square of one degree of
/// freedom.
pub(crate) fn chi_square_1_above(statistic: f64) -> f64 {
    erfc((statistic / 2.0).sqrt())
}

/// What a standard normal variable stays below with this probability.
pub(crate) fn normal_quantile(probability: f64) -> f64 {
    -std::f64::consts::SQRT_2 * erfc_inv(2.0 * probability)
}

/// What the size of a variable of Student's distribution stays below with this probability.
pub(crate) fn student_quantile(two_sided: f64, degrees: f64) -> f64 {
    // The size is above t with probability I_x(degrees / 2, 1 / 2), where x = degrees / (degrees + t²).
    let x = beta_quantile(1.0 - two_sided, degrees / 2.0, 0.5);
    (degrees * (1.0 - x) / x).sqrt()
}

/// What a variable of the beta distribution stays below with this probability: by bisection, since the distribution
/// function rises, to the last bit that it tells apart.
pub(crate) fn beta_quantile(probability: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return middle;
        }
        if beta_reg(a, b, middle) < probability { low = middle } else { high = middle }
    }
}
