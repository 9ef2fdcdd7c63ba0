//! Parameters, in the binary form of the type that the server expects at their place.

use bytes::{BufMut, BytesMut};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use postgres_protocol::types::{RangeBound, range_to_sql};
use rust_decimal::Decimal;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use crate::bindings::postgres::{Error, Interval, ParameterValue, RangeBoundKind};

/// One end of a range: its value and whether it belongs to the range. Without one the range is open.
pub type Bound<T> = Option<(T, RangeBoundKind)>;
/// Year, month, day, hour, minute, second and nanosecond, in UTC.
pub type Moment = (i32, u8, u8, u8, u8, u8, u32);
type Failure = Box<dyn std::error::Error + Sync + Send>;

/// A parameter that encodes itself.
#[derive(Debug)]
pub struct Parameter(pub ParameterValue);

/// Checks that every parameter can be encoded for its place, so that a mistake is told before anything is sent.
pub fn check(parameters: &[ParameterValue], types: &[Type]) -> Result<(), Error> {
    if parameters.len() != types.len() {
        return Err(Error::BadParameter(format!(
            "the statement has {} parameters and {} were given",
            types.len(),
            parameters.len()
        )));
    }
    for (place, (parameter, kind)) in parameters.iter().zip(types).enumerate() {
        let encoded = encode(parameter, kind, &mut BytesMut::new());
        encoded.map_err(|reason| Error::BadParameter(format!("${}: {reason}", place + 1)))?;
    }
    Ok(())
}

impl ToSql for Parameter {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        encode(&self.0, kind, out)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn encode(value: &ParameterValue, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
    use ParameterValue as V;
    match value {
        V::DbNull => Ok(IsNull::Yes),
        V::Boolean(value) => checked(value, "a boolean", kind, out),
        V::Int8(value) => integer((*value).into(), kind, out),
        V::Int16(value) => integer((*value).into(), kind, out),
        V::Int32(value) => integer((*value).into(), kind, out),
        V::Int64(value) => integer(*value, kind, out),
        V::Floating32(value) => float(f64::from(*value), kind, out),
        V::Floating64(value) => float(*value, kind, out),
        V::Str(value) => checked(value, "a string", kind, out),
        V::Binary(value) => checked(value, "binary", kind, out),
        V::Date(value) => checked(&date(*value)?, "a date", kind, out),
        V::Time(value) => checked(&time(*value)?, "a time", kind, out),
        V::Datetime(value) => instant(datetime(*value)?, kind, out),
        V::Timestamp(seconds) => {
            instant(jiff::tz::Offset::UTC.to_datetime(Timestamp::from_second(*seconds)?), kind, out)
        }
        V::Uuid(value) => checked(&value.parse::<Uuid>()?, "a UUID", kind, out),
        V::Jsonb(value) => json(value, kind, out),
        V::Decimal(value) => checked(&decimal(value)?, "a decimal", kind, out),
        V::RangeInt32(value) => {
            range(value, Type::INT4_RANGE, |end, out| end.to_sql(&Type::INT4, out), kind, out)
        }
        V::RangeInt64(value) => {
            range(value, Type::INT8_RANGE, |end, out| end.to_sql(&Type::INT8, out), kind, out)
        }
        V::RangeDecimal(value) => {
            range(value, Type::NUM_RANGE, |end, out| decimal(end)?.to_sql(&Type::NUMERIC, out), kind, out)
        }
        V::ArrayInt32(value) => checked(value, "an array of 32-bit integers", kind, out),
        V::ArrayInt64(value) => checked(value, "an array of 64-bit integers", kind, out),
        V::ArrayDecimal(value) => {
            let decimals = value.iter().map(|value| value.as_deref().map(decimal).transpose());
            checked(&decimals.collect::<Result<Vec<_>, _>>()?, "an array of decimals", kind, out)
        }
        V::ArrayStr(value) => checked(value, "an array of strings", kind, out),
        V::Interval(value) => interval(*value, kind, out),
    }
}

fn checked<T: ToSql>(value: &T, given: &str, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
    if T::accepts(kind) { value.to_sql(kind, out) } else { Err(mismatch(given, kind)) }
}

/// The server takes a parameter's type from the statement; a cast there changes what it takes.
fn mismatch(given: &str, kind: &Type) -> Failure {
    format!("{given} was given where the statement takes `{kind}`: give that, or cast the parameter in the statement").into()
}

/// Any integer fits where its value does.
fn integer(value: i64, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
    match *kind {
        Type::INT2 => i16::try_from(value)?.to_sql(kind, out),
        Type::INT4 => i32::try_from(value)?.to_sql(kind, out),
        Type::INT8 => value.to_sql(kind, out),
        _ => Err(mismatch("an integer", kind)),
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the column holds 32 bits")]
fn float(value: f64, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
    match *kind {
        Type::FLOAT4 => (value as f32).to_sql(kind, out),
        Type::FLOAT8 => value.to_sql(kind, out),
        _ => Err(mismatch("a float", kind)),
    }
}

fn date((year, month, day): (i32, u8, u8)) -> Result<Date, Failure> {
    Ok(Date::new(year.try_into()?, month.try_into()?, day.try_into()?)?)
}

fn time((hour, minute, second, nanosecond): (u8, u8, u8, u32)) -> Result<Time, Failure> {
    Ok(Time::new(hour.try_into()?, minute.try_into()?, second.try_into()?, nanosecond.try_into()?)?)
}

fn datetime((year, month, day, hour, minute, second, nanosecond): Moment) -> Result<DateTime, Failure> {
    Ok(date((year, month, day))?.to_datetime(time((hour, minute, second, nanosecond))?))
}

/// Spin's date-times are in UTC, with or without a zone in the column.
fn instant(value: DateTime, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
    match *kind {
        Type::TIMESTAMP => value.to_sql(kind, out),
        Type::TIMESTAMPTZ => jiff::tz::Offset::UTC.to_timestamp(value)?.to_sql(kind, out),
        _ => Err(mismatch("a date and time", kind)),
    }
}

/// The binary form of `jsonb` is its version, 1, and the text.
fn json(text: &[u8], kind: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
    serde_json::from_slice::<serde::de::IgnoredAny>(text)?;
    match *kind {
        Type::JSONB => out.put_u8(1),
        Type::JSON => {}
        _ => return Err(mismatch("JSON", kind)),
    }
    out.extend_from_slice(text);
    Ok(IsNull::No)
}

fn decimal(text: &str) -> Result<Decimal, Failure> {
    Ok(Decimal::from_str_exact(text)?)
}

fn range<T>(
    (lower, upper): &(Bound<T>, Bound<T>),
    own: Type,
    end: impl Fn(&T, &mut BytesMut) -> Result<IsNull, Failure>,
    kind: &Type,
    out: &mut BytesMut,
) -> Result<IsNull, Failure> {
    if *kind != own {
        return Err(mismatch(&format!("`{own}`"), kind));
    }
    let bound = |bound: &Bound<T>, out: &mut BytesMut| {
        Ok(match bound {
            None => RangeBound::Unbounded,
            Some((value, RangeBoundKind::Inclusive)) => RangeBound::Inclusive(protocol(end(value, out)?)),
            Some((value, RangeBoundKind::Exclusive)) => RangeBound::Exclusive(protocol(end(value, out)?)),
        })
    };
    range_to_sql(|out| bound(lower, out), |out| bound(upper, out), out)?;
    Ok(IsNull::No)
}

/// The two crates of the driver each have this type.
fn protocol(null: IsNull) -> postgres_protocol::IsNull {
    match null {
        IsNull::Yes => postgres_protocol::IsNull::Yes,
        IsNull::No => postgres_protocol::IsNull::No,
    }
}

/// Microseconds, days and months, each counted on its own.
fn interval(value: Interval, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
    if *kind != Type::INTERVAL {
        return Err(mismatch("an interval", kind));
    }
    out.put_i64(value.micros);
    out.put_i32(value.days);
    out.put_i32(value.months);
    Ok(IsNull::No)
}
