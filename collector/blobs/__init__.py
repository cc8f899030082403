"""Recordings and shared files: resumable uploads into a folder or an S3-compatible store."""
