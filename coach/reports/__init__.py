"""The doctor's report as documents: two printed pages and a FHIR bundle, made from one value, so both say the same."""
