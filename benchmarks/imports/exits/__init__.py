"""Exit shares and accuracies: from tables of samples or summaries to settings of exits, and onto DNNs."""
