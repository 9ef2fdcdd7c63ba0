use crate::Refusal;

/// The token of `Authorization: Bearer …`, from all values of that header in a request. Two are as good as none: whose
/// would count?
///
/// # Errors
///
/// [`Refusal::Missing`] for anything but one value with that scheme; the token itself is not looked at.
pub fn bearer<'a, V>(values: impl IntoIterator<Item = &'a V>) -> Result<&'a str, Refusal>
where
    V: AsRef<[u8]> + 'a,
{
    let mut values = values.into_iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(Refusal::Missing) };
    let value = std::str::from_utf8(value.as_ref()).map_err(|_| Refusal::Missing)?;
    let (scheme, token) = value.split_once(' ').ok_or(Refusal::Missing)?;
    if scheme.eq_ignore_ascii_case("Bearer") { Ok(token.trim()) } else { Err(Refusal::Missing) }
}
