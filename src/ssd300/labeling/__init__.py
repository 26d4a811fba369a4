"""`ssd300 label`: a page on which boxes are drawn, proposed, corrected and saved in the files of a dataset."""
