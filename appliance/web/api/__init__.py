"""The API for programs: JSON, bearer tokens, problem documents, described by OpenAPI."""
