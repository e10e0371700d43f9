//! Formulas of one variable, `value`, as definitions give them: `2.663*sin(2*value*0.0174533)`. Promises: a text is
//! refused when it is read or gives a number for every value; no text takes unbounded time. Must not know logs.

/// A formula.
#[derive(Debug, Clone, PartialEq)]
pub struct Formula {
    /// In postfix order.
    steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Number(f64),
    Value,
    Negate,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Call(Function),
}

/// Deeper than any formula nests.
const DEEPEST: usize = 50;

impl Formula {
    /// Reads a formula.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut reader = Reader {
            rest: text.trim(),
            steps: Vec::new(),
        };
        reader.sum(0)?;
        match reader.rest {
            "" => Ok(Self { steps: reader.steps }),
            rest => Err(format!("the formula \"{text}\" cannot be read from \"{rest}\" on")),
        }
    }

    /// Its result for a value.
    pub fn evaluate(&self, value: f64) -> f64 {
        let mut stack: Vec<f64> = Vec::new();
        for step in &self.steps {
            let mut pop = || stack.pop().unwrap_or(f64::NAN);
            let result = match step {
                Step::Number(number) => *number,
                Step::Value => value,
                Step::Negate => -pop(),
                Step::Call(function) => function.of(pop()),
                binary => {
                    let (right, left) = (pop(), pop());
                    match binary {
                        Step::Add => left + right,
                        Step::Subtract => left - right,
                        Step::Multiply => left * right,
                        Step::Divide => left / right,
                        _ => left.powf(right),
                    }
                }
            };
            stack.push(result);
        }
        stack.pop().unwrap_or(f64::NAN)
    }
}

struct Reader<'a> {
    rest: &'a str,
    steps: Vec<Step>,
}

impl Reader<'_> {
    fn take(&mut self, sign: char) -> bool {
        match self.rest.trim_start().strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn sum(&mut self, depth: usize) -> Result<(), String> {
        if depth > DEEPEST {
            return Err("the formula nests too deep".to_owned());
        }
        self.product(depth)?;
        loop {
            let step = if self.take('+') {
                Step::Add
            } else if self.take('-') {
                Step::Subtract
            } else {
                return Ok(());
            };
            self.product(depth)?;
            self.steps.push(step);
        }
    }

    fn product(&mut self, depth: usize) -> Result<(), String> {
        self.signed(depth)?;
        loop {
            let step = if self.take('*') {
                Step::Multiply
            } else if self.take('/') {
                Step::Divide
            } else {
                return Ok(());
            };
            self.signed(depth)?;
            self.steps.push(step);
        }
    }

    fn signed(&mut self, depth: usize) -> Result<(), String> {
        if depth > DEEPEST {
            return Err("the formula nests too deep".to_owned());
        }
        if self.take('-') {
            self.signed(depth + 1)?;
            self.steps.push(Step::Negate);
            return Ok(());
        }
        if self.take('+') {
            return self.signed(depth + 1);
        }
        self.atom(depth)?;
        if self.take('^') {
            self.signed(depth + 1)?;
            self.steps.push(Step::Power);
        }
        Ok(())
    }

    fn atom(&mut self, depth: usize) -> Result<(), String> {
        if self.take('(') {
            self.sum(depth + 1)?;
            return if self.take(')') {
                Ok(())
            } else {
                Err("a bracket is not closed".to_owned())
            };
        }
        let letters = self
            .rest
            .bytes()
            .take_while(|b| b.is_ascii_alphabetic() || *b == b'_')
            .count();
        if letters > 0 {
            let (word, rest) = self.rest.split_at(letters);
            self.rest = rest.trim_start();
            if word == "value" {
                self.steps.push(Step::Value);
                return Ok(());
            }
            if word == "pi" || word == "_pi" {
                self.steps.push(Step::Number(std::f64::consts::PI));
                return Ok(());
            }
            let Some(function) = function(word) else {
                return Err(format!("the function \"{word}\" in a formula is not known"));
            };
            if !self.rest.starts_with('(') {
                return Err(format!("the function \"{word}\" has no argument"));
            }
            self.atom(depth + 1)?;
            self.steps.push(Step::Call(function));
            return Ok(());
        }
        self.number()
    }

    fn number(&mut self) -> Result<(), String> {
        let bytes = self.rest.as_bytes();
        let mut end = 0;
        while let Some(byte) = bytes.get(end) {
            // The sign of an exponent belongs to the number: 1.5e-3.
            let exponent_sign = matches!(byte, b'+' | b'-')
                && end > 0
                && bytes
                    .get(end - 1)
                    .is_some_and(|before| before.eq_ignore_ascii_case(&b'e'));
            if byte.is_ascii_digit() || *byte == b'.' || byte.eq_ignore_ascii_case(&b'e') || exponent_sign {
                end += 1;
            } else {
                break;
            }
        }
        let (digits, rest) = self.rest.split_at(end);
        let number: f64 = digits
            .parse()
            .map_err(|_| format!("a number or value is missing before \"{}\"", self.rest))?;
        self.steps.push(Step::Number(number));
        self.rest = rest.trim_start();
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sqrt,
    Exp,
    Ln,
    Log,
    Abs,
}

impl Function {
    fn of(self, x: f64) -> f64 {
        match self {
            Self::Sin => x.sin(),
            Self::Cos => x.cos(),
            Self::Tan => x.tan(),
            Self::Asin => x.asin(),
            Self::Acos => x.acos(),
            Self::Atan => x.atan(),
            Self::Sqrt => x.sqrt(),
            Self::Exp => x.exp(),
            Self::Ln => x.ln(),
            Self::Log => x.log10(),
            Self::Abs => x.abs(),
        }
    }
}

fn function(word: &str) -> Option<Function> {
    Some(match word {
        "sin" => Function::Sin,
        "cos" => Function::Cos,
        "tan" => Function::Tan,
        "asin" => Function::Asin,
        "acos" => Function::Acos,
        "atan" => Function::Atan,
        "sqrt" => Function::Sqrt,
        "exp" => Function::Exp,
        "ln" => Function::Ln,
        "log" => Function::Log,
        "abs" => Function::Abs,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn formulas_follow_the_rules_of_arithmetic() {
        for (text, wanted) in [
            ("value", 3.0),
            ("-value*0.001/2.0", -0.0015),
            ("(value+201.0)/1000.", 0.204),
            ("2.663*sin(2*value*0.0174533)", 2.663 * (6.0_f64 * 0.0174533).sin()),
            (
                "3.163*tan(2*value*0.0174533)-46*0.0012",
                3.163 * (6.0_f64 * 0.0174533).tan() - 0.0552,
            ),
            ("2^value^2", 512.0),
            ("-value^2", -9.0),
            ("1 - 2 - value", -4.0),
            ("1.5e-3*value", 0.0045),
            ("sqrt(abs(-4))+pi", 2.0 + std::f64::consts::PI),
        ] {
            let found = Formula::parse(text).unwrap().evaluate(3.0);
            assert!((found - wanted).abs() < 1e-12, "{text}: {found}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let deep = "(".repeat(10_000);
        let signs = "-".repeat(10_000);
        for text in [
            "",
            "value value",
            "sin",
            "what(1)",
            "(1",
            "1+",
            "*2",
            "1..2",
            "1e",
            "ä",
            &deep,
            &signs,
        ] {
            assert!(Formula::parse(text).is_err(), "{text:.20}");
        }
    }
}
