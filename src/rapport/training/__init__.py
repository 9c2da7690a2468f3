"""How the readings that ship are made: labelled text in, model files and a model card out.

Run by `rapport train`; needs the extra `rapport[train]`. Nothing of it is used while the product runs.
"""
